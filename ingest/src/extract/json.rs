//! JSON, JSON Lines and notebooks, written so that a person can read and find what is in them.
//!
//! A list of objects with the same scalar members is a table. Small objects are lines of `path: value`; larger ones
//! get a heading for each member that holds others. In a notebook, cells of text are Markdown and cells of code
//! are listings. What doesn't parse is read as the text that it is, with a warning.

use lectern_domain::{BlockKind, Extracted};
use serde_json::{Map, Value};

use super::compose::Composition;
use super::delimited::write_table;
use super::read::title_line;
use super::{ExtractError, markdown, text};

/// An object that takes no more lines and bytes than this is written as lines of paths.
const SMALL_LINES: usize = 16;
const SMALL_BYTES: usize = 800;

/// A list of objects is a table where they have no more different members than this,
const MANY_COLUMNS: usize = 30;

/// and where this part of its cells, at least, is filled.
const FILLED_SHARE: f64 = 0.5;

/// A list of numbers or words is written on one line where it takes no more bytes than this.
const SHORT_LIST_BYTES: usize = 200;

/// Members whose value can stand for an object in a heading.
const LABELS: [&str; 5] = ["title", "name", "label", "id", "key"];

/// Reads JSON. Spans are those of the text that comes out.
pub(super) fn read(source: String) -> Result<Extracted, ExtractError> {
    match serde_json::from_str::<Value>(source.trim_start_matches('\u{feff}')) {
        Ok(value) => Ok(whole(&value)),
        Err(error) => {
            if let Some(extracted) = lines(&source) {
                return Ok(extracted);
            }
            if error.to_string().contains("recursion limit") {
                return Err(ExtractError::TooDeep(128));
            }
            let mut extracted = text::read(source);
            extracted
                .warnings
                .push(format!("it begins as JSON and isn't: {error}"));
            Ok(extracted)
        }
    }
}

fn whole(value: &Value) -> Extracted {
    if let Some(cells) = notebook_cells(value) {
        return notebook(value, cells);
    }
    let mut composition = Composition::default();
    write(&mut composition, value, 1);
    let mut extracted = composition.finish("application/json");
    extracted.title = stated_title(value);
    extracted
}

/// JSON Lines: a value in each line. `None` where fewer than two lines, or less than half of them, are values.
fn lines(source: &str) -> Option<Extracted> {
    let mut values = Vec::new();
    let mut broken = Vec::new();
    for (number, line) in (1_usize..)
        .zip(source.lines())
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match serde_json::from_str::<Value>(line) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => values.push(value),
            _ => broken.push((number, line)),
        }
    }
    if values.len() < 2 || values.len() < broken.len() {
        return None;
    }
    let mut composition = Composition::default();
    write_list(&mut composition, &values, "", 1);
    for (_, line) in &broken {
        composition.paragraph(line);
    }
    let mut extracted = composition.finish("application/jsonl");
    if let Some((first, _)) = broken.first() {
        let count = broken.len();
        extracted.warnings.push(format!(
            "{count} lines are no JSON, the first is line {first}; they stand at the end as they are"
        ));
    }
    Some(extracted)
}

fn stated_title(value: &Value) -> Option<String> {
    ["title", "name"]
        .iter()
        .find_map(|key| title_line(value.get(key)?.as_str()?))
}

/// Writes a value; headings begin at `level`.
fn write(composition: &mut Composition, value: &Value, level: u8) {
    match value {
        Value::Object(object) => write_object(composition, object, level),
        Value::Array(list) => write_list(composition, list, "", level),
        scalar => composition.paragraph(&scalar_text(scalar)),
    }
}

fn write_object(composition: &mut Composition, object: &Map<String, Value>, level: u8) {
    let mut lines = Vec::new();
    if is_small(object.values()) {
        object
            .iter()
            .for_each(|(key, value)| flatten(key, value, &mut lines));
        composition.paragraph(&lines.join("\n"));
        return;
    }
    for (key, value) in object {
        if is_line(value) {
            flatten(key, value, &mut lines);
            continue;
        }
        composition.paragraph(&std::mem::take(&mut lines).join("\n"));
        composition.heading(level, key);
        match value {
            Value::Object(inner) => write_object(composition, inner, level.saturating_add(1)),
            Value::Array(list) => write_list(composition, list, key, level.saturating_add(1)),
            long => composition.paragraph(&scalar_text(long)),
        }
    }
    composition.paragraph(&lines.join("\n"));
}

fn write_list(composition: &mut Composition, list: &[Value], key: &str, level: u8) {
    if list.iter().all(is_scalar) {
        let items: Vec<String> = list
            .iter()
            .map(|item| format!("- {}", scalar_text(item)))
            .collect();
        composition.paragraph(&items.join("\n"));
        return;
    }
    if let Some((header, rows)) = table(list) {
        write_table(composition, &header, &rows);
        return;
    }
    for (number, item) in (1_usize..).zip(list) {
        match item {
            Value::Object(object) if is_small(object.values()) => write_object(composition, object, level),
            Value::Object(object) => {
                composition.heading(level, &label(object, key, number));
                write_object(composition, object, level.saturating_add(1));
            }
            Value::Array(inner) if inner.iter().all(is_scalar) => {
                composition.paragraph(&inner.iter().map(scalar_text).collect::<Vec<_>>().join(", "));
            }
            Value::Array(inner) => write_list(composition, inner, key, level),
            scalar => composition.paragraph(&scalar_text(scalar)),
        }
    }
}

/// What an object in a list is called: its own name, or that of the list and its number.
fn label(object: &Map<String, Value>, key: &str, number: usize) -> String {
    let named = LABELS
        .iter()
        .find_map(|label| object.get(*label).filter(|value| is_scalar(value)))
        .map(scalar_text)
        .filter(|name| !name.is_empty());
    named.unwrap_or_else(|| format!("{key} {number}").trim().to_owned())
}

/// A list of objects as a table, where all are flat and much alike.
fn table(list: &[Value]) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let objects: Vec<&Map<String, Value>> = list.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut header: Vec<String> = Vec::new();
    let mut filled = 0_usize;
    for object in &objects {
        for (key, value) in *object {
            if !is_line(value) {
                return None;
            }
            filled += 1;
            if !header.contains(key) {
                header.push(key.clone());
            }
        }
        if header.len() > MANY_COLUMNS {
            return None;
        }
    }
    let cells = header.len() * objects.len();
    if objects.len() < 2 || header.len() < 2 || (filled as f64) < FILLED_SHARE * cells as f64 {
        return None;
    }
    let row = |object: &Map<String, Value>| {
        let cell = |key: &String| object.get(key).map(line_text).unwrap_or_default();
        header.iter().map(cell).collect()
    };
    let rows = objects.into_iter().map(row).collect();
    Some((header, rows))
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}

/// Whether a value fits the line of its key: a scalar of one line, or a short list of scalars.
fn is_line(value: &Value) -> bool {
    match value {
        Value::Array(list) => {
            list.iter().all(is_scalar) && list.iter().map(scalar_bytes).sum::<usize>() <= SHORT_LIST_BYTES
        }
        Value::Object(_) => false,
        Value::String(text) => text.len() <= SMALL_BYTES && !text.trim_end().contains("\n\n"),
        _ => true,
    }
}

/// Whether values take few lines and bytes, however deep they lie. Stops looking as soon as they don't.
fn is_small<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    let (mut lines, mut bytes) = (0_usize, 0_usize);
    let mut waiting: Vec<&Value> = values.collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(object) => waiting.extend(object.values()),
            Value::Array(list) if !is_line(value) => waiting.extend(list),
            other => {
                lines += 1;
                bytes += match other {
                    Value::Array(list) => list.iter().map(scalar_bytes).sum(),
                    scalar => scalar_bytes(scalar),
                };
            }
        }
        if lines > SMALL_LINES || bytes > SMALL_BYTES || waiting.len() > 4 * SMALL_LINES {
            return false;
        }
    }
    true
}

/// The lines of a value: `path.to.it: value`. Members of a list have the path of the list.
fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                flatten(&format!("{path}.{key}"), inner, lines);
            }
        }
        Value::Array(list) if !is_line(value) => list.iter().for_each(|item| flatten(path, item, lines)),
        leaf => lines.push(format!("{path}: {}", line_text(leaf)).trim_end().to_owned()),
    }
}

fn line_text(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(scalar_text).collect::<Vec<_>>().join(", "),
        scalar => scalar_text(scalar),
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn scalar_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        _ => 8,
    }
}

/// The cells of a value that is a Jupyter notebook.
fn notebook_cells(value: &Value) -> Option<&Vec<Value>> {
    value.get("nbformat")?;
    value.get("cells")?.as_array()
}

fn notebook(value: &Value, cells: &[Value]) -> Extracted {
    let language = value
        .pointer("/metadata/language_info/name")
        .or_else(|| value.pointer("/metadata/kernelspec/language"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut composition = Composition::default();
    let mut title = None;
    for cell in cells {
        let source = joined(cell.get("source"));
        if cell.get("cell_type").and_then(Value::as_str) == Some("code") {
            listing(&mut composition, language, &source);
            for output in cell
                .get("outputs")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let words = joined(output.get("text").or_else(|| output.pointer("/data/text~1plain")));
                listing(&mut composition, "", &words);
            }
        } else {
            let text = markdown::read(source);
            title = title.or_else(|| text.title.clone());
            composition.append(text);
        }
    }
    let mut extracted = composition.finish("application/x-ipynb+json");
    extracted.title = value
        .pointer("/metadata/title")
        .and_then(Value::as_str)
        .and_then(title_line)
        .or(title);
    extracted
}

/// A text that a notebook keeps in one piece or as a list of lines.
fn joined(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

fn listing(composition: &mut Composition, language: &str, code: &str) {
    if !code.trim().is_empty() {
        let code = code.trim_end();
        composition.push(BlockKind::Code, &format!("```{language}\n{code}\n```"));
    }
}

#[cfg(test)]
mod tests;
