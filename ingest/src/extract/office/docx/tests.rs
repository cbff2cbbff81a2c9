use lectern_domain::AttributeValue;

use super::super::super::ExtractError;
use super::super::samples::{blocks, docx, extract, relationships};

fn paragraph(style: &str, words: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
}

fn styles() -> String {
    "<w:styles><w:style w:styleId='T'><w:name w:val='Title'/></w:style>\
     <w:style w:styleId='H1'><w:name w:val='heading 1'/><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr></w:style>\
     <w:style w:styleId='Code'><w:name w:val='Source Code'/></w:style></w:styles>"
        .to_owned()
}

fn numbering() -> String {
    "<w:numbering><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl></w:abstractNum>\
     <w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'><w:numFmt w:val='bullet'/></w:lvl></w:abstractNum>\
     <w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num><w:num w:numId='2'><w:abstractNumId w:val='1'/></w:num></w:numbering>"
        .to_owned()
}

fn parts() -> Vec<(&'static str, String)> {
    let relations = relationships(&[
        ("s", "styles", "styles.xml"),
        ("n", "numbering", "numbering.xml"),
        ("f", "footnotes", "footnotes.xml"),
        ("c", "comments", "comments.xml"),
        ("h", "header", "header1.xml"),
        ("h2", "header", "header2.xml"),
        ("l", "hyperlink", "https://a.example/form"),
    ]);
    let header =
        "<w:hdr><w:p><w:r><w:t>Staff only</w:t></w:r></w:p><w:p><w:r><w:t>7</w:t></w:r></w:p></w:hdr>";
    let core = "<cp:coreProperties><dc:title>The handbook</dc:title><dc:creator>A. B.</dc:creator><dc:subject>Rules</dc:subject>\
                <cp:keywords>leave; pay</cp:keywords><dcterms:created>2024-03-01T10:00:00Z</dcterms:created></cp:coreProperties>";
    vec![
        ("word/_rels/document.xml.rels", relations),
        ("word/styles.xml", styles()),
        ("word/numbering.xml", numbering()),
        ("word/footnotes.xml", "<w:footnotes><w:footnote w:id='2'><w:p><w:r><w:t>Since 2020.</w:t></w:r></w:p></w:footnote></w:footnotes>".to_owned()),
        ("word/comments.xml", "<w:comments><w:comment w:id='0' w:author='C. D.' w:date='2024-05-06T07:08:09Z'><w:p><w:r><w:t>Really?</w:t></w:r></w:p></w:comment></w:comments>".to_owned()),
        ("word/header1.xml", header.to_owned()),
        ("word/header2.xml", header.to_owned()),
        ("docProps/core.xml", core.to_owned()),
    ]
}

#[test]
fn everything_stands_where_people_look_for_it() {
    let item = "<w:p><w:pPr><w:numPr><w:numId w:val='2'/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>";
    let text_box = "<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><wp:docPr descr='A map'/><wps:txbx><w:txbxContent>\
                    <w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict>\
                    <w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>";
    let rich = "<w:p><w:r><w:t xml:space='preserve'>See </w:t></w:r><w:hyperlink r:id='l'><w:r><w:t>the form</w:t></w:r></w:hyperlink>\
                <w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>, new</w:t></w:r></w:ins>\
                <w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:commentReference w:id='0'/></w:r></w:p>";
    let control = "<w:sdt><w:sdtPr><w:alias w:val='no'/></w:sdtPr><w:sdtContent><w:p><w:r><w:sym w:font='Wingdings' w:char='F0FC'/><w:t> agreed ☒</w:t></w:r></w:p></w:sdtContent></w:sdt>";
    let equation = "<w:p><m:oMathPara><m:oMath><m:r><m:t>a</m:t></m:r></m:oMath></m:oMathPara></w:p>";
    let body = [
        paragraph("T", "The handbook"),
        paragraph("H1", "Leave"),
        item.to_owned(),
        item.to_owned(),
        rich.to_owned(),
        text_box.to_owned(),
        "<w:p><w:r><w:lastRenderedPageBreak/><w:t>second page</w:t></w:r></w:p>".to_owned(),
        control.to_owned(),
        paragraph("H1", "Pay"),
        paragraph("Code", "let x;"),
        paragraph("Code", "x + 1"),
        equation.to_owned(),
    ]
    .concat();
    let extracted = extract(&docx(&body, &parts())).unwrap();
    insta::assert_snapshot!(blocks(&extracted), @r"
    1 # The handbook
    1 # 1. Leave
    1 - item
    - item
    1 See [the form](https://a.example/form), new[1]
    1 [1] Since 2020.
    1 [Comment by C. D., 2024-05-06: Really?]
    1 [Image: A map]
    1 in a box
    2 second page
    2 ✓ agreed [x]
    2 # 2. Pay
    2 let x;
    x + 1
    2 $$a$$
    - Staff only
    ");
    assert_eq!(extracted.title.as_deref(), Some("The handbook"));
    let attribute = |name: &str| extracted.attributes.get(name).cloned();
    assert_eq!(
        attribute("author"),
        Some(AttributeValue::Text("A. B.".to_owned()))
    );
    assert_eq!(
        attribute("subject"),
        Some(AttributeValue::Text("Rules".to_owned()))
    );
    let keywords = vec!["leave".to_owned(), "pay".to_owned()];
    assert_eq!(attribute("keywords"), Some(AttributeValue::TextList(keywords)));
    assert!(matches!(attribute("created"), Some(AttributeValue::Date(_))));
}

#[test]
fn merged_cells_are_put_together_and_a_frame_is_opened() {
    let cell = |properties: &str, words: &str| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:tc>")
    };
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let down = |kind: &str| format!("<w:vMerge{kind}/>");
    let nested = "<w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>in</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>side</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/></w:tc>";
    let rows = [
        row(&[
            cell(&down(" w:val='restart'"), "Who"),
            cell("<w:gridSpan w:val='2'/>", "Weeks"),
        ]),
        row(&[cell(&down(""), ""), cell("", "min"), cell("", "max")]),
        row(&[cell("", "Parents"), cell("", "4"), nested.to_owned()]),
    ];
    let frame = format!(
        "<w:tbl>{}</w:tbl>",
        row(&[
            "<w:tc><w:p><w:r><w:t>one</w:t></w:r></w:p><w:p><w:r><w:t>two</w:t></w:r></w:p></w:tc>"
                .to_owned()
        ])
    );
    let extracted = extract(&docx(&format!("<w:tbl>{}</w:tbl>{frame}", rows.concat()), &[])).unwrap();
    insta::assert_snapshot!(blocks(&extracted), @r"
    - | Who | Weeks | Weeks |
    | --- | --- | --- |
    | Who | min | max |
    | Parents | 4 | in side |
    - one
    - two
    ");
}

#[test]
fn a_damaged_part_costs_that_part_and_a_warning() {
    let mut parts = parts();
    for (name, content) in &mut parts {
        if name.ends_with("footnotes.xml") {
            content.truncate(60);
        }
        if name.ends_with("styles.xml") {
            *content = "\u{0}\u{1} no XML <".to_owned();
        }
    }
    parts.retain(|(name, _)| !name.ends_with("header1.xml"));
    let extracted = extract(&docx(
        "<w:p><w:r><w:t>words</w:t></w:r></w:p><w:p><w:r><w:t>cut",
        &parts,
    ))
    .unwrap();
    assert!(extracted.text.starts_with("words"), "{}", extracted.text);
    assert!(extracted.text.contains("cut"));
    assert!(extracted.warnings.len() >= 3, "{:?}", extracted.warnings);
}

#[test]
fn a_document_without_words_or_body_is_told() {
    assert_eq!(extract(&docx("<w:p/>", &[])).unwrap_err(), ExtractError::NoText);
    let content_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    let empty = super::super::samples::package("word/document.xml", content_type, &[]);
    assert_eq!(extract(&empty).unwrap_err().code(), "archive_damaged");
}

#[test]
fn hostile_nesting_is_refused() {
    let deep = format!(
        "{}x{}",
        "<w:sdt><w:sdtContent>".repeat(5_000),
        "</w:sdtContent></w:sdt>".repeat(5_000)
    );
    assert_eq!(extract(&docx(&deep, &[])).unwrap_err().code(), "nested_too_deep");
}
