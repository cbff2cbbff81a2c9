#![allow(missing_docs, clippy::unwrap_used)]
#[test]
fn dump() {
    let out = std::path::Path::new("/tmp/office-out");
    for path in std::env::var("DUMP").unwrap().split(':') {
        let bytes = std::fs::read(path).unwrap();
        let name = std::path::Path::new(path)
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let begun = std::time::Instant::now();
        match lectern_ingest::extract::read(&name, None, &bytes) {
            Ok(e) => {
                std::fs::write(out.join(format!("{name}.md")), &e.text).unwrap();
                let blocks: String = e
                    .blocks
                    .iter()
                    .map(|b| format!("{:?} p{:?} {:?}\n", b.kind, b.page, b.span.of(&e.text).unwrap()))
                    .collect();
                std::fs::write(
                    out.join(format!("{name}.blocks")),
                    format!(
                        "{:?} {} {:#?} {:#?}\n{blocks}",
                        e.title, e.media_type, e.attributes, e.warnings
                    ),
                )
                .unwrap();
                println!(
                    "{name} {:?} {} ms {:?}",
                    e.text.len(),
                    begun.elapsed().as_millis(),
                    e.warnings
                );
            }
            Err(e) => println!("{name} ERROR {} {e}", e.code()),
        }
    }
}
