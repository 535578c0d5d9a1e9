//! Tables and paragraphs for a terminal.

use std::fmt::Write as _;

use super::format::count;
use super::table::Table;
use super::text::shortened;

/// Characters of a line.
pub(crate) const WIDTH: usize = 110;
/// Characters of one cell.
const CELL: usize = 56;

/// A text broken at spaces; further lines are set in by `indent`.
pub(crate) fn wrapped_from(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let characters = word.chars().count();
        if length > 0 && length + 1 + characters > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += characters;
    }
    out
}

/// A table of at most `most` rows; a wide one stands in several strips with numbered rows.
pub(crate) fn table(out: &mut String, table: &Table, most: usize) {
    if table.rows.is_empty() {
        let _ = writeln!(out, "  {}", table.when_empty);
        return;
    }
    let shown_rows = table.rows.len().min(most);
    let texts: Vec<Vec<String>> = table
        .rows
        .iter()
        .take(shown_rows)
        .map(|row| row.iter().map(|cell| shortened(&cell.text, CELL)).collect())
        .collect();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = texts.iter().filter_map(|row| row.get(index)).map(|t| t.chars().count());
            cells.chain([column.label.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let strips = strips(&widths);
    let is_split = strips.len() > 1 && shown_rows > 1;
    for (number, strip) in strips.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let heads: Vec<String> = table.columns.iter().map(|c| c.label.to_string()).collect();
        let mark = |place: usize| if is_split { format!("{place:>3}") } else { String::new() };
        let blank = if is_split { "   " } else { "" };
        line(out, table, blank, &heads, &widths, strip);
        for (index, row) in texts.iter().enumerate() {
            line(out, table, &mark(index + 1), row, &widths, strip);
        }
    }
    if table.rows.len() > shown_rows {
        let more = (table.rows.len() - shown_rows) as u64;
        let _ = writeln!(out, "  … and {} more", count(more));
    }
}

/// Which columns stand side by side; rows of a table in several strips are numbered.
fn strips(widths: &[usize]) -> Vec<Vec<usize>> {
    let mut strips: Vec<Vec<usize>> = Vec::new();
    let mut used = 0;
    for (index, width) in widths.iter().enumerate() {
        match strips.last_mut() {
            Some(strip) if used + width + 2 <= WIDTH - 5 => strip.push(index),
            _ => {
                strips.push(vec![index]);
                used = 0;
            }
        }
        used += width + 2;
    }
    strips
}

fn line(
    out: &mut String,
    table: &Table,
    mark: &str,
    cells: &[String],
    widths: &[usize],
    strip: &[usize],
) {
    let mut text = if mark.is_empty() { "  ".to_owned() } else { format!("{mark}  ") };
    for index in strip {
        let (Some(cell), Some(width), Some(column)) =
            (cells.get(*index), widths.get(*index), table.columns.get(*index))
        else {
            continue;
        };
        let room = " ".repeat(width.saturating_sub(cell.chars().count()));
        if column.numeric {
            text.push_str(&room);
            text.push_str(cell);
        } else {
            text.push_str(cell);
            text.push_str(&room);
        }
        text.push_str("  ");
    }
    let _ = writeln!(out, "{}", text.trim_end());
}
