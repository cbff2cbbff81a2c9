//! What documents, slides and sheets draw alike (`DrawingML`, ISO/IEC 29500-1, 20 and 21): text in shapes, charts, diagrams.

use std::collections::BTreeMap;

use super::super::ExtractError;
use super::marks;
use super::math;
use super::package::Package;
use super::relations::Relations;
use super::table::{Cell, Table};
use super::writer::Writer;
use super::xml::{self, Element};

/// More points of one series than a chart can show are left out.
const MAX_POINTS: usize = 10_000;

/// The words of a paragraph (`a:p`).
pub(super) fn paragraph(paragraph: &Element<'_>) -> String {
    let mut text = String::new();
    push_paragraph(paragraph, &mut text);
    text
}

fn push_paragraph(parent: &Element<'_>, text: &mut String) {
    for element in parent.elements() {
        match element.name {
            "t" => text.push_str(&element.words()),
            "br" => text.push('\n'),
            "tab" => text.push('\t'),
            "oMath" => text.push_str(&format!(" ${}$ ", math::latex(element))),
            "Fallback" | "pPr" | "rPr" | "endParaRPr" => {}
            _ => push_paragraph(element, text),
        }
    }
}

/// The words of all paragraphs of a text body, one on a line.
pub(super) fn body(body: &Element<'_>) -> String {
    let lines: Vec<String> = body.all("p").map(paragraph).collect();
    lines.join("\n")
}

/// The description of a picture or shape that its author gave (`descr` of `docPr` or `cNvPr`).
pub(super) fn description(properties: &Element<'_>) -> Option<String> {
    let written = marks::image(properties.attribute("descr")?);
    (!written.is_empty()).then_some(written)
}

/// What else a drawing refers to: charts and diagrams, read where they stand.
pub(super) fn references(
    drawing: &Element<'_>,
    relations: &Relations,
    package: &mut Package<'_>,
    writer: &mut Writer,
) -> Result<(), ExtractError> {
    for reference in drawing.descendants("chart") {
        if let Some(part) = reference.prefixed("id").and_then(|id| relations.target(id)) {
            chart(part, package, writer)?;
        }
    }
    for reference in drawing.descendants("relIds") {
        if let Some(part) = reference.prefixed("dm").and_then(|id| relations.target(id)) {
            diagram(part, package, writer)?;
        }
    }
    Ok(())
}

/// Reads a part as far as it can be read, and hands its root on; what is missing or damaged is a warning.
pub(super) fn with_part<T: Default>(
    part: &str,
    package: &mut Package<'_>,
    writer: &mut Writer,
    read: impl FnOnce(&Element<'_>, &mut Package<'_>, &mut Writer) -> Result<T, ExtractError>,
) -> Result<T, ExtractError> {
    let text = match package.text(part) {
        Ok(Some(text)) => text,
        Ok(None) => {
            writer.warn(format!("{part} is missing"));
            return Ok(T::default());
        }
        Err(ExtractError::ArchiveDamaged(reason)) => {
            writer.warn(format!("a part is damaged: {reason}"));
            return Ok(T::default());
        }
        Err(other) => return Err(other),
    };
    let tree = xml::parse(&text)?;
    if let Some(reason) = &tree.broken {
        writer.warn(format!("{part} is damaged and was read in part: {reason}"));
    }
    match tree.top() {
        Some(top) => read(top, package, writer),
        None => Ok(T::default()),
    }
}

/// A chart: its titles, and its numbers as a table.
pub(super) fn chart(part: &str, package: &mut Package<'_>, writer: &mut Writer) -> Result<(), ExtractError> {
    with_part(part, package, writer, |space, _, writer| {
        let mut titles: Vec<String> = space.descendants("title").into_iter().map(words).collect();
        titles.retain(|title| !title.is_empty());
        let kind = space.descendants("plotArea").into_iter().find_map(kind);
        writer.paragraph(&format!("{}: {}", kind.unwrap_or("Chart"), titles.join(", ")));
        let series = space.descendants("ser");
        writer.table(&series_table(&series));
        if series.is_empty() {
            // Charts of the kinds that came in 2016 have other parts.
            for level in space.descendants("lvl") {
                let points: Vec<String> = level.all("pt").map(Element::words).collect();
                writer.paragraph(&points.join(", "));
            }
        }
        Ok(())
    })
}

fn words(parent: &Element<'_>) -> String {
    let lines: Vec<String> = parent.descendants("p").into_iter().map(paragraph).collect();
    lines.join(" ").trim().to_owned()
}

/// What people call a chart of this kind.
fn kind(plot: &Element<'_>) -> Option<&'static str> {
    let names = [
        ("bar", "Bar chart"),
        ("line", "Line chart"),
        ("pie", "Pie chart"),
        ("ofPie", "Pie chart"),
        ("doughnut", "Doughnut chart"),
        ("area", "Area chart"),
        ("scatter", "Scatter chart"),
        ("bubble", "Bubble chart"),
        ("radar", "Radar chart"),
        ("stock", "Stock chart"),
        ("surface", "Surface chart"),
    ];
    let charts = plot.elements().filter(|element| element.name.ends_with("Chart"));
    charts
        .flat_map(|chart| names.iter().filter(|(start, _)| chart.name.starts_with(start)))
        .map(|(_, name)| *name)
        .next()
}

/// A row for each category and a column for each series.
fn series_table(series: &[&Element<'_>]) -> Table {
    let mut categories: BTreeMap<usize, String> = BTreeMap::new();
    let mut columns = Vec::new();
    for one in series {
        for name in ["cat", "xVal"] {
            categories.extend(one.child(name).map(points).unwrap_or_default());
        }
        let name = one
            .child("tx")
            .map(|name| points(name).into_values().collect::<Vec<_>>().join(" "));
        let name = name
            .filter(|name| !name.is_empty())
            .or_else(|| one.at(&["tx", "v"]).map(Element::words));
        let values = ["val", "yVal"]
            .into_iter()
            .find_map(|name| one.child(name))
            .map(points);
        columns.push((name.unwrap_or_default(), values.unwrap_or_default()));
    }
    let last = columns
        .iter()
        .filter_map(|(_, values)| values.keys().next_back())
        .chain(categories.keys().next_back())
        .max()
        .map_or(0, |last| last + 1);
    let header = std::iter::once(Cell::new(""))
        .chain(columns.iter().map(|(name, _)| Cell::new(name.as_str())))
        .collect();
    let mut rows = vec![header];
    for place in 0..last {
        let category = categories.get(&place).map_or("", String::as_str);
        let values = columns
            .iter()
            .map(|(_, values)| Cell::new(values.get(&place).map_or("", String::as_str)));
        rows.push(std::iter::once(Cell::new(category)).chain(values).collect());
    }
    if columns.is_empty() {
        rows.clear();
    }
    Table { rows }
}

/// The cached points of a reference, by their place.
fn points(reference: &Element<'_>) -> BTreeMap<usize, String> {
    let numbered = reference.descendants("pt").into_iter().filter_map(|point| {
        let place = point.attribute("idx")?.parse().ok()?;
        (place < MAX_POINTS).then(|| Some((place, number(&point.child("v")?.words()))))?
    });
    numbered.collect()
}

/// A number without the digits that only binary arithmetic put there.
fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.len() > 12 && number.is_finite() => super::xlsx::number(number),
        _ => text.to_owned(),
    }
}

/// A diagram (`SmartArt`): the texts of its points.
fn diagram(part: &str, package: &mut Package<'_>, writer: &mut Writer) -> Result<(), ExtractError> {
    with_part(part, package, writer, |model, _, writer| {
        for point in model.descendants("pt") {
            if let Some(text) = point.child("t") {
                writer.item(0, "-", &body(text));
            }
        }
        Ok(())
    })
}
