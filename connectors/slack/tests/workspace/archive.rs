//! The workspace as the zip file that Slack gives.

use std::io::Write;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::workspace::Workspace;

pub fn write(workspace: &Workspace, path: &Path) {
    let mut writer = ZipWriter::new(std::io::BufWriter::new(std::fs::File::create(path).unwrap()));
    let options = SimpleFileOptions::default().compression_level(Some(1));
    for (name, content) in workspace.files() {
        writer.start_file(name, options).unwrap();
        writer.write_all(content.to_string().as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}
