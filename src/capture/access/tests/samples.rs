//! The samples that the project ships are read as their descriptions say.

use super::*;

fn lines(text: &str) -> Vec<Value> {
    let value = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| json!(line));
    text.lines().map(value).collect()
}

/// A format, the records of its sample, and how many are rows and how many are left out.
type Sample<'f> = (&'f dyn LogFormat, Vec<Value>, (usize, usize));

/// Rows and records left out; a sample has no record that is rejected.
fn counts(format: &dyn LogFormat, records: &[Value], context: &ReadContext) -> (usize, usize) {
    let readings: Vec<Reading> =
        records.iter().flat_map(|record| format.read(record, context)).collect();
    let rows = readings.iter().filter(|reading| matches!(reading, Reading::Exchange(_))).count();
    let filtered = readings.iter().filter(|reading| **reading == NOT_LLM).count();
    assert_eq!(rows + filtered, records.len(), "{readings:?}");
    (rows, filtered)
}

#[test]
fn the_samples_of_access_logs_are_found_and_read() {
    let csv = include_str!("../../../../sample-data/captures/apigee.csv");
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let header = table.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        let cells = header.iter().zip(row.iter());
        Value::Object(cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect())
    };
    let apigee: Vec<Value> = table.records().map(|found| row(found.unwrap())).collect();
    let samples: [Sample<'_>; 6] = [
        (
            &AwsApiGateway,
            lines(include_str!("../../../../sample-data/captures/aws_api_gateway.jsonl")),
            (7, 1),
        ),
        (&Apigee, apigee, (5, 1)),
        (
            &GoogleCloud,
            lines(include_str!("../../../../sample-data/captures/google_cloud.jsonl")),
            (6, 2),
        ),
        (&Nginx, lines(include_str!("../../../../sample-data/captures/nginx.log")), (9, 1)),
        (&Nginx, lines(include_str!("../../../../sample-data/captures/nginx_json.log")), (10, 1)),
        (&HaProxy, lines(include_str!("../../../../sample-data/captures/haproxy.log")), (10, 1)),
    ];
    for (format, records, expected) in samples {
        assert_eq!(format.sniff(&records), Confidence::CERTAIN, "{}", format.name());
        let found = counts(format, &records, &ReadContext::default());
        assert_eq!(found, expected, "{}", format.name());
    }
}

#[test]
fn the_sample_of_an_own_log_is_read_by_its_mapping() {
    let mapping = mapped_by(include_str!("../../../../sample-data/captures/mapped.toml"));
    let records = lines(include_str!("../../../../sample-data/captures/mapped.jsonl"));
    assert_eq!(counts(&Mapped, &records, &mapping), (8, 0));
    let first = row_of(read_in(&Mapped, &records[0], &mapping));
    assert_eq!(first.captured_at, 1_793_610_000_940_000, "09:00:02.250 less 1.31 seconds");
    assert_eq!((first.cost_nanousd, first.replayable), (Some(12_600), true));
}
