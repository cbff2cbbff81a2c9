use super::super::samples::{blocks, extract, package, relationships};

const TYPE: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml";

fn shape(placeholder: &str, paragraphs: &str) -> String {
    format!(
        "<p:sp><p:nvSpPr><p:cNvPr id='1'/><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>"
    )
}

fn words(text: &str) -> String {
    format!("<a:p><a:r><a:t>{text}</a:t></a:r></a:p>")
}

fn slide(shapes: &str) -> String {
    format!("<p:sld><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>")
}

fn presentation(parts: &[(&'static str, String)]) -> Vec<u8> {
    let list = "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='b'/><p:sldId id='257' r:id='a'/></p:sldIdLst></p:presentation>";
    let relations = relationships(&[
        ("a", "slide", "slides/slide1.xml"),
        ("b", "slide", "slides/slide2.xml"),
        ("c", "commentAuthors", "commentAuthors.xml"),
    ]);
    let mut all = vec![
        ("ppt/presentation.xml", list.to_owned()),
        ("ppt/_rels/presentation.xml.rels", relations),
        (
            "ppt/commentAuthors.xml",
            "<p:cmAuthorLst><p:cmAuthor id='0' name='A. B.'/></p:cmAuthorLst>".to_owned(),
        ),
    ];
    all.extend(parts.iter().cloned());
    package("ppt/presentation.xml", TYPE, &all)
}

fn chart_part() -> String {
    let point = |place: usize, value: &str| format!("<c:pt idx='{place}'><c:v>{value}</c:v></c:pt>");
    format!(
        "<c:chartSpace><c:chart><c:title><a:p><a:r><a:t>Days</a:t></a:r></a:p></c:title><c:plotArea><c:barChart><c:ser><c:tx>{}</c:tx>\
         <c:cat>{}{}</c:cat><c:val>{}{}</c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>",
        point(0, "taken"),
        point(0, "2023"),
        point(1, "2024"),
        point(0, "4.2999999999999998"),
        point(1, "7")
    )
}

fn first_slide() -> String {
    let table = "<p:graphicFrame><a:tbl><a:tr><a:tc gridSpan='2'><a:txBody><a:p><a:r><a:t>Weeks</a:t></a:r></a:p></a:txBody></a:tc><a:tc hMerge='1'/><a:tc/></a:tr>\
                 <a:tr><a:tc><a:txBody><a:p><a:r><a:t>4</a:t></a:r></a:p></a:txBody></a:tc><a:tc/><a:tc><a:txBody><a:p><a:r><a:t>20</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>";
    let chart = "<p:graphicFrame><a:graphic><a:graphicData><c:chart r:id='ch'/></a:graphicData></a:graphic></p:graphicFrame>";
    let list = format!(
        "{}<a:p><a:pPr lvl='1'/><a:r><a:t>below</a:t></a:r></a:p>",
        words("point")
    );
    slide(
        &[
            shape("<p:ph type='body'/>", &list),
            format!(
                "<p:grpSp><p:grpSp>{}</p:grpSp></p:grpSp>",
                shape("", &words("grouped"))
            ),
            shape("<p:ph type='title'/>", &words("Leave")),
            "<p:pic><p:nvPicPr><p:cNvPr descr='A map'/></p:nvPicPr></p:pic>".to_owned(),
            shape("<p:ph type='ftr'/>", &words("Staff only")),
            table.to_owned(),
            chart.to_owned(),
        ]
        .concat(),
    )
}

#[test]
fn slides_come_in_the_order_of_the_show_with_notes_and_comments() {
    let second = slide(
        &[
            shape("<p:ph type='sldNum'/>", &words("1")),
            shape("<p:ph type='ftr'/>", &words("Staff only")),
            shape("", &words("loose")),
        ]
        .concat(),
    );
    let relations = relationships(&[
        ("n", "notesSlide", "../notesSlides/n.xml"),
        ("c", "comments", "../comments/c.xml"),
        ("ch", "chart", "../charts/c.xml"),
    ]);
    let notes = slide(
        &[
            shape("<p:ph type='body'/>", &words("say this")),
            shape("<p:ph type='sldNum'/>", &words("2")),
        ]
        .concat(),
    );
    let extracted = extract(&presentation(&[
        ("ppt/slides/slide1.xml", first_slide()),
        ("ppt/slides/_rels/slide1.xml.rels", relations),
        ("ppt/slides/slide2.xml", second),
        ("ppt/notesSlides/n.xml", notes),
        ("ppt/charts/c.xml", chart_part()),
        (
            "ppt/comments/c.xml",
            "<p:cmLst><p:cm authorId='0' dt='2024-05-06T07:08:09'><p:text>why?</p:text></p:cm></p:cmLst>"
                .to_owned(),
        ),
    ]))
    .unwrap();
    insta::assert_snapshot!(blocks(&extracted), @r"
    1 ## Slide 1
    1 Staff only
    1 loose
    2 ## Leave
    2 - point
      - below
    2 grouped
    2 [Image: A map]
    2 | Weeks | Weeks | |
    | --- | --- | --- |
    | 4 | | 20 |
    2 Bar chart: Days
    2 | | taken |
    | --- | --- |
    | 2023 | 4.3 |
    | 2024 | 7 |
    2 Notes: say this
    2 [Comment by A. B., 2024-05-06: why?]
    ");
}

#[test]
fn a_missing_slide_costs_that_slide() {
    let extracted = extract(&presentation(&[(
        "ppt/slides/slide1.xml",
        slide(&shape("", &words("here"))),
    )]))
    .unwrap();
    assert_eq!(blocks(&extracted), "2 ## Slide 2\n2 here");
    assert!(
        extracted
            .warnings
            .iter()
            .any(|warning| warning.contains("slide2.xml"))
    );
}
