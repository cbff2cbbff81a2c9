//! Small PDFs, office files and messages, made here.

use std::fmt::Write as _;

/// A PDF with a page for each text. A line of a text is a line of the page.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    pdf_with(pages, "", "")
}

/// A PDF that needs a password: its encryption dictionary belongs to no password that anybody knows.
pub fn encrypted_pdf() -> Vec<u8> {
    let key = "ab".repeat(32);
    let encryption = format!("<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{key}> /U <{key}> >>");
    let id = "<00112233445566778899aabbccddeeff>";
    pdf_with(&["secret"], &format!("/Encrypt {encryption} /ID [{id} {id}]"), "")
}

/// A PDF whose catalog has an array nested `depth` deep.
pub fn nested_pdf(depth: usize) -> Vec<u8> {
    pdf_with(
        &["text"],
        "",
        &format!("/Nested {}{}", "[".repeat(depth), "]".repeat(depth)),
    )
}

fn pdf_with(pages: &[&str], trailer: &str, catalog: &str) -> Vec<u8> {
    let kids: String = (0..pages.len())
        .map(|number| format!("{} 0 R ", 4 + 2 * number))
        .collect();
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>"),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (number, page) in pages.iter().enumerate() {
        let content = page_content(page);
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * number
        ));
        objects.push(format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(file.len());
        writeln!(file, "{number} 0 obj\n{object}\nendobj").unwrap();
    }
    let xref = file.len();
    writeln!(file, "xref\n0 {}\n0000000000 65535 f ", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    writeln!(
        file,
        "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF"
    )
    .unwrap();
    file.into_bytes()
}

fn page_content(text: &str) -> String {
    let mut content = "BT /F1 12 Tf 14 TL 60 780 Td".to_owned();
    for line in text.lines() {
        let escaped = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        write!(content, " ({escaped}) Tj T*").unwrap();
    }
    content.push_str(" ET");
    content
}

/// A zip archive of these parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A DOCX with this in its body.
pub fn docx(body: &str) -> Vec<u8> {
    archive(&[
        (
            "[Content_Types].xml",
            "<Types><Override ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>",
        ),
        (
            "word/document.xml",
            &format!("<w:document><w:body>{body}</w:body></w:document>"),
        ),
    ])
}

/// An XLSX in which `cells` cells share one text.
pub fn xlsx_of_one_text(text: &str, cells: usize) -> Vec<u8> {
    let relations = |target: &str| format!("<Relationships>{target}</Relationships>");
    let relation = |id: &str, kind: &str, target: &str| {
        format!(
            "<Relationship Id='{id}' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}' Target='{target}'/>"
        )
    };
    let rows: String = (1..=cells)
        .map(|row| {
            format!("<row r='{row}'><c r='A{row}' t='s'><v>0</v></c><c r='B{row}' t='s'><v>0</v></c></row>")
        })
        .collect();
    archive(&[
        (
            "[Content_Types].xml",
            "<Types><Override ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml'/></Types>",
        ),
        (
            "_rels/.rels",
            &relations(&relation("a", "officeDocument", "xl/workbook.xml")),
        ),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='a' sheetId='1' r:id='s'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &relations(
                &(relation("s", "worksheet", "worksheets/sheet1.xml")
                    + &relation("t", "sharedStrings", "sharedStrings.xml")),
            ),
        ),
        (
            "xl/sharedStrings.xml",
            &format!("<sst><si><t>{text}</t></si></sst>"),
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

/// A message with attachments, each in hexadecimal of quoted-printable.
pub fn message(attachments: &[(&str, &[u8])]) -> Vec<u8> {
    let mut message = "From: a@example.org\nSubject: Files\nMIME-Version: 1.0\n\
                       Content-Type: multipart/mixed; boundary=part\n\n--part\n\nHere they are.\n"
        .to_owned();
    for (name, bytes) in attachments {
        let encoded: String = bytes.iter().map(|byte| format!("={byte:02X}")).collect();
        let head = format!(
            "Content-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: quoted-printable"
        );
        message += &format!("--part\nContent-Type: application/octet-stream\n{head}\n\n{encoded}\n");
    }
    message += "--part--\n";
    message.into_bytes()
}
