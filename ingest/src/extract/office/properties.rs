//! What an office file says of itself: title, author, subject, keywords, dates.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use lectern_domain::{AttributeValue, Attributes};

use super::super::ExtractError;
use super::super::read::title_line;
use super::package::Package;
use super::relations::Relations;
use super::xml::{self, Element};

/// The properties of a file, as far as it has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::extract) struct Properties {
    pub(in crate::extract) title: Option<String>,
    pub(in crate::extract) author: Option<String>,
    pub(in crate::extract) subject: Option<String>,
    pub(in crate::extract) keywords: Vec<String>,
    pub(in crate::extract) language: Option<String>,
    pub(in crate::extract) created: Option<DateTime<Utc>>,
    pub(in crate::extract) modified: Option<DateTime<Utc>>,
}

impl Properties {
    /// Those of an OOXML package (ISO/IEC 29500-2, 11: core properties). Without readable ones, none.
    pub(super) fn of_package(package: &mut Package<'_>) -> Result<Self, ExtractError> {
        let relations = Relations::of(package, "")?;
        let part = relations
            .of_kind("core-properties")
            .next()
            .unwrap_or("docProps/core.xml")
            .to_owned();
        let Some(text) = package.text(&part)? else {
            return Ok(Self::default());
        };
        let tree = xml::parse(&text)?;
        Ok(tree.top().map(Self::of_elements).unwrap_or_default())
    }

    /// Those that stand below an element by the names of Dublin Core, OOXML and ODF.
    pub(super) fn of_elements(parent: &Element<'_>) -> Self {
        let mut properties = Self::default();
        let mut initial_author = None;
        for element in parent.elements() {
            let words = element.words();
            match element.name {
                "title" => properties.title = title_line(&words),
                "creator" => properties.author = properties.author.take().or_else(|| title_line(&words)),
                "initial-creator" => initial_author = title_line(&words),
                "subject" => properties.subject = title_line(&words),
                "keywords" | "keyword" => properties.keywords.extend(keywords(&words)),
                "language" => properties.language = title_line(&words),
                "created" | "creation-date" => properties.created = date(&words),
                "modified" | "date" => properties.modified = date(&words),
                _ => {}
            }
        }
        // In ODF the creator is who saved the file last.
        properties.author = initial_author.or(properties.author);
        properties
    }

    /// As attributes of the document.
    pub(in crate::extract) fn into_attributes(self) -> Attributes {
        let text =
            |name: &str, value: Option<String>| value.map(|it| (name.to_owned(), AttributeValue::Text(it)));
        let date = |name: &str, value: Option<DateTime<Utc>>| {
            value.map(|it| (name.to_owned(), AttributeValue::Date(it)))
        };
        let keywords = (!self.keywords.is_empty())
            .then(|| ("keywords".to_owned(), AttributeValue::TextList(self.keywords)));
        [
            text("author", self.author),
            text("subject", self.subject),
            text("language", self.language),
            date("created", self.created),
            date("modified", self.modified),
            keywords,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Keywords between commas or semicolons.
pub(in crate::extract) fn keywords(list: &str) -> Vec<String> {
    list.split([',', ';', '\n']).filter_map(title_line).collect()
}

/// A date as office files write it: RFC 3339, the same without a zone (then UTC), or a day, a month or a year.
pub(in crate::extract) fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return sound(date.with_timezone(&Utc));
    }
    let without_zone = text.trim_end_matches('Z');
    if let Ok(date) = NaiveDateTime::parse_from_str(without_zone, "%Y-%m-%dT%H:%M:%S%.f") {
        return sound(date.and_utc());
    }
    let day = match without_zone.len() {
        4 => format!("{without_zone}-01-01"),
        7 => format!("{without_zone}-01"),
        _ => without_zone.chars().take(10).collect(),
    };
    let day = NaiveDate::parse_from_str(&day, "%Y-%m-%d").ok()?;
    sound(day.and_hms_opt(0, 0, 0)?.and_utc())
}

/// Leaves out what programs write that don't know the date: years before there were files.
fn sound(date: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (date.timestamp() > 0).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_their_forms() {
        let shown = |text| date(text).map(|date| date.to_rfc3339());
        assert_eq!(
            shown("2024-03-01T10:00:00Z").unwrap(),
            "2024-03-01T10:00:00+00:00"
        );
        assert_eq!(
            shown("2024-03-01T10:00:00+02:00").unwrap(),
            "2024-03-01T08:00:00+00:00"
        );
        assert_eq!(
            shown("2024-03-01T10:00:00.123456").unwrap(),
            "2024-03-01T10:00:00.123456+00:00"
        );
        assert_eq!(shown(" 2024-03-01 ").unwrap(), "2024-03-01T00:00:00+00:00");
        assert_eq!(shown("2024").unwrap(), "2024-01-01T00:00:00+00:00");
        assert_eq!(shown("1601-01-01T00:00:00Z"), None);
        assert_eq!(shown("yesterday"), None);
    }
}
