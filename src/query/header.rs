//! The header of a query file: what it answers, what it needs, what it returns.
//!
//! The header is made of SQL comments, so that the file runs as it is in any SQL shell:
//!
//! ```text
//! -- purpose: one sentence
//! -- tables:  pairs, capture
//! -- params:
//! --   $arm: Utf8, the candidate's name
//! -- columns:
//! --   segment: Utf8, part of the traffic
//! -- order:   segment
//! ```

/// A parsed header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryHeader {
    /// What the query answers, one sentence.
    pub purpose: String,
    /// Tables and views that it reads.
    pub tables: Vec<String>,
    /// Its parameters.
    pub parameters: Vec<QueryField>,
    /// Its columns, in order.
    pub columns: Vec<QueryField>,
    /// Columns by which it is ordered.
    pub order: Vec<String>,
}

/// A parameter or column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryField {
    /// Its name, without `$`.
    pub name: String,
    /// Its Arrow type, such as `Utf8`, `Int64` or `Float64`.
    pub data_type: String,
    /// What it means, with its unit.
    pub meaning: String,
}

/// A header that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A line that is neither a key nor a field of a list.
    #[error("line {0} of the header is neither `key: value` nor `name: Type, meaning`")]
    BadLine(usize),
    /// A key that no header has.
    #[error("line {line} of the header has the unknown key `{key}`")]
    UnknownKey {
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A header without purpose or columns.
    #[error("the header has no `{0}`")]
    Missing(&'static str),
}

impl QueryHeader {
    /// Reads the comment lines at the top of a query.
    ///
    /// # Errors
    /// A line that does not follow the format, or a header without purpose or columns.
    pub fn parse(sql: &str) -> Result<Self, HeaderError> {
        let mut header = QueryHeader::default();
        let mut list: Option<&str> = None;
        for (index, line) in sql.lines().enumerate() {
            let Some(comment) = line.strip_prefix("--") else { break };
            let line_number = index + 1;
            if comment.starts_with("   ") {
                let field = parse_field(comment.trim()).ok_or(HeaderError::BadLine(line_number))?;
                match list {
                    Some("params") => header.parameters.push(field),
                    Some("columns") => header.columns.push(field),
                    _ => return Err(HeaderError::BadLine(line_number)),
                }
                continue;
            }
            let (key, value) =
                comment.trim().split_once(':').ok_or(HeaderError::BadLine(line_number))?;
            let value = value.trim();
            list = None;
            match key {
                "purpose" => value.clone_into(&mut header.purpose),
                "tables" => header.tables = words(value),
                "order" => header.order = words(value),
                "params" => list = Some("params"),
                "columns" => list = Some("columns"),
                other => {
                    let key = other.to_owned();
                    return Err(HeaderError::UnknownKey { line: line_number, key });
                }
            }
        }
        if header.purpose.is_empty() {
            return Err(HeaderError::Missing("purpose"));
        }
        if header.columns.is_empty() {
            return Err(HeaderError::Missing("columns"));
        }
        Ok(header)
    }
}

fn words(value: &str) -> Vec<String> {
    value.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn parse_field(text: &str) -> Option<QueryField> {
    let (name, rest) = text.split_once(':')?;
    let (data_type, meaning) = rest.split_once(',')?;
    Some(QueryField {
        name: name.trim().trim_start_matches('$').to_owned(),
        data_type: data_type.trim().to_owned(),
        meaning: meaning.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_from_the_comments_at_the_top() {
        let sql = "-- purpose: Counts.\n-- tables:  pairs\n-- params:\n--   $arm: Utf8, an arm\n\
                   -- columns:\n--   n: Int64, rows\n-- order:   n\nSELECT 1 -- not: this";
        let header = QueryHeader::parse(sql).unwrap();
        assert_eq!(header.purpose, "Counts.");
        assert_eq!(header.tables, ["pairs"]);
        assert_eq!(header.parameters[0].name, "arm");
        assert_eq!(header.columns[0].meaning, "rows");
        assert_eq!(header.order, ["n"]);
    }

    #[test]
    fn a_header_without_columns_is_refused() {
        assert_eq!(
            QueryHeader::parse("-- purpose: x\nSELECT 1"),
            Err(HeaderError::Missing("columns"))
        );
        assert_eq!(
            QueryHeader::parse("-- porpoise: x"),
            Err(HeaderError::UnknownKey { line: 1, key: "porpoise".into() })
        );
    }
}
