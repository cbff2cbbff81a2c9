//! The relationships of an OOXML part: which other parts it refers to, by id and by kind (ISO/IEC 29500-2, 9.3).

use std::collections::HashMap;

use super::super::ExtractError;
use super::package::Package;
use super::xml;

/// What a part refers to.
#[derive(Debug, Default)]
pub(super) struct Relations {
    relations: Vec<Relation>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug)]
struct Relation {
    /// The last part of the type's URI: the same in strict and in transitional files.
    kind: String,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// The full name of a part, without a slash in front.
    Part(String),
    /// An address outside of the file.
    Address(String),
}

impl Relations {
    /// Those of a part; none where it has no relationships or they can't be read.
    pub(super) fn of(package: &mut Package<'_>, part: &str) -> Result<Self, ExtractError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let separator = if folder.is_empty() { "" } else { "/" };
        let Some(text) = package.text(&format!("{folder}{separator}_rels/{name}.rels"))? else {
            return Ok(Self::default());
        };
        let tree = xml::parse(&text)?;
        let mut read = Self::default();
        for element in tree.top().into_iter().flat_map(|top| top.all("Relationship")) {
            let (Some(id), Some(kind), Some(target)) = (
                element.attribute("Id"),
                element.attribute("Type"),
                element.attribute("Target"),
            ) else {
                continue;
            };
            let target = match element.attribute("TargetMode") {
                Some("External") => Target::Address(target.to_owned()),
                _ => Target::Part(resolve(folder, target)),
            };
            read.by_id.insert(id.to_owned(), read.relations.len());
            let kind = kind.rsplit('/').next().unwrap_or(kind).to_owned();
            read.relations.push(Relation { kind, target });
        }
        Ok(read)
    }

    /// The part with this id.
    pub(super) fn target(&self, id: &str) -> Option<&str> {
        match &self.relations.get(*self.by_id.get(id)?)?.target {
            Target::Part(name) => Some(name),
            Target::Address(_) => None,
        }
    }

    /// The address outside of the file that a link with this id leads to.
    pub(super) fn address(&self, id: &str) -> Option<&str> {
        match &self.relations.get(*self.by_id.get(id)?)?.target {
            Target::Part(_) => None,
            Target::Address(address) => Some(address),
        }
    }

    /// The parts of this kind, in the order of the file.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.relations
            .iter()
            .filter(move |relation| relation.kind == kind)
            .filter_map(|relation| match &relation.target {
                Target::Part(name) => Some(name.as_str()),
                Target::Address(_) => None,
            })
    }
}

/// A target as seen from a folder.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seen_from_the_folder_of_the_part() {
        assert_eq!(
            resolve("ppt/slides", "../notesSlides/n1.xml"),
            "ppt/notesSlides/n1.xml"
        );
        assert_eq!(resolve("word", "/word/document.xml"), "word/document.xml");
        assert_eq!(resolve("", "./../xl/workbook.xml"), "xl/workbook.xml");
    }
}
