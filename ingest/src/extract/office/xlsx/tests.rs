use super::super::samples::{blocks, extract, package, relationships};

const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

fn workbook(sheet: &str, parts: &[(&'static str, String)]) -> Vec<u8> {
    let sheets =
        "<workbook xmlns:r='r'><sheets><sheet name='Leave' sheetId='1' r:id='a'/></sheets></workbook>";
    let mut all = vec![
        ("xl/workbook.xml", sheets.to_owned()),
        (
            "xl/_rels/workbook.xml.rels",
            relationships(&[
                ("a", "worksheet", "worksheets/sheet1.xml"),
                ("s", "styles", "styles.xml"),
            ]),
        ),
        (
            "xl/styles.xml",
            "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>".to_owned(),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet>{sheet}</worksheet>"),
        ),
    ];
    all.extend(parts.iter().cloned());
    package("xl/workbook.xml", TYPE, &all)
}

fn text(place: &str, words: &str) -> String {
    format!("<c r='{place}' t='inlineStr'><is><t>{words}</t></is></c>")
}

#[test]
fn a_sheet_is_tables_between_empty_rows_with_its_comments() {
    let rows = [
        format!("<row r='2'>{}</row>", text("B2", "Leave in 2024")),
        format!("<row r='3'>{}{}</row>", text("B3", "who"), text("C3", "since")),
        format!(
            "<row r='4'>{}<c r='C4' s='1'><v>45352</v></c></row>",
            text("B4", "Parents")
        ),
        "<row r='5'><c r='C5'><v>0.30000000000000004</v></c></row>".to_owned(),
        format!(
            "<row r='9'>{}{}</row>",
            text("A9", "far"),
            text("XFD9", "farther")
        ),
        format!("<row r='1048576'>{}</row>", text("XFD1048576", "last")),
    ]
    .concat();
    let sheet = format!(
        "<sheetData>{rows}</sheetData><mergeCells><mergeCell ref='B2:C2'/><mergeCell ref='B4:B5'/></mergeCells>"
    );
    let comments = "<comments><authors><author>A. B.</author><author>tc=1</author></authors><commentList><comment ref='B4' authorId='0'><text><r><t>why?</t></r></text></comment>\
                    <comment ref='C4' authorId='1'><text><t>[Threaded comment]</t></text></comment></commentList></comments>";
    let extracted = extract(&workbook(
        &sheet,
        &[
            (
                "xl/worksheets/_rels/sheet1.xml.rels",
                relationships(&[("c", "comments", "../comments1.xml")]),
            ),
            ("xl/comments1.xml", comments.to_owned()),
        ],
    ))
    .unwrap();
    insta::assert_snapshot!(blocks(&extracted), @r"
    1 ## Leave
    1 | Leave in 2024 | |
    | --- | --- |
    | who | since |
    | Parents | 2024-03-01 |
    | Parents | 0.3 |
    1 | far | farther |
    | --- | --- |
    1 last
    1 B4 [Comment by A. B.: why?]
    ");
}

#[test]
fn tables_beside_each_other_are_told_apart() {
    let rows = [
        format!("<row r='1'>{}{}</row>", text("A1", "a"), text("B1", "b")),
        format!(
            "<row r='2'>{}{}{}{}</row>",
            text("A2", "1"),
            text("B2", "2"),
            text("D2", "c"),
            text("E2", "d")
        ),
        format!("<row r='3'>{}{}</row>", text("D3", "3"), text("E3", "4")),
    ]
    .concat();
    let extracted = extract(&workbook(&format!("<sheetData>{rows}</sheetData>"), &[])).unwrap();
    assert_eq!(
        blocks(&extracted),
        "1 ## Leave\n1 | a | b |\n| --- | --- |\n| 1 | 2 |\n1 | c | d |\n| --- | --- |\n| 3 | 4 |"
    );
}

#[test]
fn a_form_with_notes_beside_it_stays_one_table() {
    let rows = [
        format!("<row r='1'>{}{}</row>", text("A1", "voltage"), text("B1", "kV")),
        format!(
            "<row r='2'>{}{}{}</row>",
            text("A2", "current"),
            text("B2", "A"),
            text("D2", "Note 1")
        ),
        format!(
            "<row r='3'>{}{}{}</row>",
            text("A3", "phases"),
            text("B3", "3"),
            text("D3", "Note 2")
        ),
    ]
    .concat();
    let extracted = extract(&workbook(&format!("<sheetData>{rows}</sheetData>"), &[])).unwrap();
    assert!(
        extracted.text.contains("| current | A | Note 1 |"),
        "{}",
        extracted.text
    );
}

#[test]
fn a_sheet_that_is_cut_off_keeps_what_came_before() {
    let sheet = format!(
        "<sheetData><row r='1'>{}</row><row r='2'><c r='A2'><v>1",
        text("A1", "kept")
    );
    let extracted = extract(&workbook(&sheet, &[])).unwrap();
    assert!(extracted.text.contains("kept"));
    assert!(!extracted.warnings.is_empty());
}
