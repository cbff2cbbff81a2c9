use lectern_domain::AttributeValue;

use super::super::samples::{archive, blocks, extract, open_document};

#[test]
fn a_text_keeps_its_structure_notes_and_comments() {
    let styles = "<style:style style:name='P1' style:parent-style-name='Title'/>\
                  <text:list-style style:name='L1'><text:list-level-style-number text:level='1' style:num-format='1'/></text:list-style>";
    let body = "<office:text><text:p text:style-name='P1'>The\n  handbook</text:p><text:h text:outline-level='2'>Leave</text:h>\
        <text:p>See <text:a xlink:href='https://a.example/form'>the form</text:a><text:s text:c='2'/>now<text:note><text:note-citation>1</text:note-citation>\
        <text:note-body><text:p>Since 2020.</text:p></text:note-body></text:note><office:annotation><dc:creator>C. D.</dc:creator><dc:date>2024-05-06T07:08:09</dc:date><text:p>Really?</text:p></office:annotation></text:p>\
        <text:list text:style-name='L1'><text:list-item><text:p>one</text:p></text:list-item><text:list-item><text:p>two</text:p>\
        <text:list><text:list-item><text:p>below</text:p></text:list-item></text:list></text:list-item></text:list>\
        <text:tracked-changes><text:p>gone</text:p></text:tracked-changes>\
        <text:p><draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box><svg:desc>A map</svg:desc></draw:frame></text:p>\
        <table:table><table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned='2'><text:p>Weeks</text:p></table:table-cell><table:covered-table-cell/><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table-header-rows>\
        <table:table-row><table:table-cell><text:p>4</text:p></table:table-cell><table:table-cell><text:p>20</text:p></table:table-cell></table:table-row></table:table>\
        <text:p text:style-name='Preformatted_20_Text'>let x;</text:p></office:text>";
    let extracted = extract(&open_document("text", styles, body)).unwrap();
    insta::assert_snapshot!(blocks(&extracted), @r"
    - # The handbook
    - ## Leave
    - See [the form](https://a.example/form)  now[1]
    - [1] Since 2020.
    - [Comment by C. D., 2024-05-06: Really?]
    - 1. one
    2. two
      - below
    - [Image: A map]
    - in a box
    - | Weeks | Weeks | x |
    | --- | --- | --- |
    | 4 | 20 | |
    - let x;
    ");
    assert_eq!(extracted.title.as_deref(), Some("A title"));
    assert_eq!(
        extracted.attributes["author"],
        AttributeValue::Text("A. B.".to_owned())
    );
    assert_eq!(
        extracted.attributes["keywords"],
        AttributeValue::TextList(vec!["leave".to_owned()])
    );
    assert!(matches!(
        extracted.attributes["modified"],
        AttributeValue::Date(_)
    ));
}

#[test]
fn slides_have_titles_notes_and_numbers() {
    let body = "<office:presentation><draw:page><draw:frame presentation:class='outline'><draw:text-box><text:list><text:list-item><text:p>point</text:p></text:list-item></text:list></draw:text-box></draw:frame>\
        <draw:frame presentation:class='title'><draw:text-box><text:p>Leave</text:p></draw:text-box></draw:frame>\
        <draw:g><draw:custom-shape><text:p>grouped</text:p></draw:custom-shape></draw:g>\
        <presentation:notes><draw:frame presentation:class='notes'><draw:text-box><text:p>say this</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>\
        <draw:page><draw:frame><draw:text-box><text:p>more</text:p></draw:text-box></draw:frame></draw:page></office:presentation>";
    let extracted = extract(&open_document("presentation", "", body)).unwrap();
    assert_eq!(
        blocks(&extracted),
        "1 ## Leave\n1 - point\n1 grouped\n1 Notes: say this\n2 ## Slide 2\n2 more"
    );
}

#[test]
fn repeated_cells_and_rows_are_bounded() {
    let cell = "<table:table-cell table:number-columns-repeated='1000000' office:value-type='float' office:value='7'><text:p>7</text:p></table:table-cell>";
    let row = format!("<table:table-row table:number-rows-repeated='1000000'>{cell}</table:table-row>");
    let sheet = format!(
        "<office:spreadsheet><table:table table:name='Sheet'><table:table-row table:number-rows-repeated='1048000'><table:table-cell table:number-columns-repeated='16384'/></table:table-row>\
         <table:table-row><table:table-cell table:number-columns-repeated='3'/><table:table-cell><text:p>first</text:p></table:table-cell></table:table-row>{}</table:table></office:spreadsheet>",
        row.repeat(3)
    );
    let extracted = extract(&open_document("spreadsheet", "", &sheet)).unwrap();
    assert!(extracted.text.starts_with("## Sheet"));
    assert!(extracted.text.contains("first"));
    assert!(extracted.text.len() < 16 * 1024 * 1024);
    assert!(extracted.warnings.iter().any(|warning| warning.contains("cut")));
    assert_eq!(extracted.blocks[0].page, Some(1));
}

#[test]
fn an_encrypted_document_is_told() {
    let manifest = "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let bytes = archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.text".to_owned()),
        ("META-INF/manifest.xml", manifest.to_owned()),
        ("content.xml", "\u{1}\u{2}".to_owned()),
    ]);
    assert_eq!(extract(&bytes).unwrap_err().code(), "encrypted");
}
