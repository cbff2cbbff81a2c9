//! Where the sidecar of a file is: `NAME.metadata.json` beside `NAME`. It is never a document itself.

use std::ffi::{OsStr, OsString};

pub(crate) use lectern_connector_sidecar::{MAX_BYTES, SUFFIX, Sidecar, parse};

/// The name of the sidecar of a file.
pub(crate) fn name_of(file: &OsStr) -> OsString {
    let mut name = file.to_owned();
    name.push(SUFFIX);
    name
}

/// The name of the file whose sidecar this is, if it is one's.
pub(crate) fn described_by(sidecar: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt;
    let name = sidecar.as_bytes().strip_suffix(SUFFIX.as_bytes())?;
    (!name.is_empty()).then(|| OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_its_sidecar_and_back() {
        let name = OsStr::new("report.pdf");
        assert_eq!(name_of(name), "report.pdf.metadata.json");
        assert_eq!(described_by(&name_of(name)), Some(name));
        for other in [
            "report.pdf",
            ".metadata.json",
            "metadata.json",
            "a.metadata.json.md",
        ] {
            assert_eq!(described_by(OsStr::new(other)), None, "{other}");
        }
    }
}
