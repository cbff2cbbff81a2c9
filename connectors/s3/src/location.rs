//! Where objects are: `s3://BUCKET/PREFIX`, read from the configuration.

use std::fmt;

use crate::error::Error;

/// Whose service a bucket is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    S3,
    Google,
    Azure,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

/// A bucket, and what the keys begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) scheme: Scheme,
    pub(crate) bucket: String,
    /// Empty, or the beginning of keys. It needn't end with `/`.
    pub(crate) prefix: String,
}

impl Location {
    /// Reads `handbook`, `handbook/docs/` or `s3://handbook/docs/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |problem: &str| Error::BucketInvalid {
            bucket: shown(text).to_owned(),
            problem: problem.to_owned(),
        };
        let (scheme, rest) = match text.split_once("://") {
            None => (Scheme::S3, text),
            Some(("s3" | "s3a", rest)) => (Scheme::S3, rest),
            Some(("gs", rest)) => (Scheme::Google, rest),
            Some(("az" | "azure", rest)) => (Scheme::Azure, rest),
            Some(_) => return Err(invalid("its scheme is none of s3, gs and az")),
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // What else a bucket may be called is the service's business; these would change the address.
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if bucket.is_empty() || !bucket.chars().all(is_plain) || bucket.starts_with('.') {
            return Err(invalid("a bucket's name has letters, digits, `-`, `_` and `.`"));
        }
        Ok(Self {
            scheme,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// Whether both have documents of the same key: in buckets of the same name, and one within the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.bucket == other.bucket
            && (self.scheme != other.scheme
                || self.prefix.starts_with(&other.prefix)
                || other.prefix.starts_with(&self.prefix))
    }
}

/// The text, unless it may have a key or a signature in it, as an address that was copied from elsewhere has.
fn shown(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let is_plain = |character: char| character.is_alphanumeric() || "-_./* %".contains(character);
    if rest.chars().all(is_plain) { text } else { "..." }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}/{}",
            self.scheme.as_str(),
            self.bucket,
            self.prefix
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_in_the_forms_that_people_write() {
        for (text, written) in [
            ("handbook", "s3://handbook/"),
            ("handbook/docs/", "s3://handbook/docs/"),
            ("s3a://handbook/2024-", "s3://handbook/2024-"),
            ("gs://a.b", "gs://a.b/"),
            ("azure://c/d", "az://c/d"),
        ] {
            assert_eq!(Location::parse(text).unwrap().to_string(), written, "{text}");
        }
        for text in [
            "",
            "s3://",
            "ftp://a",
            "a b",
            "a@b.example",
            "..",
            "a?b",
            "a%2fb",
            "s3:///key",
        ] {
            assert_eq!(
                Location::parse(text).unwrap_err().code(),
                "bucket_invalid",
                "{text}"
            );
        }
    }

    #[test]
    fn what_may_be_a_key_is_not_repeated() {
        for (text, is_repeated) in [
            ("ftp://handbook/docs", true),
            ("hand book", true),
            ("AKIA:hunter2@handbook", false),
            ("https://handbook.s3.example/a?X-Amz-Signature=hunter2", false),
            ("s3://hunter2+/a", false),
        ] {
            let told = Location::parse(text).unwrap_err().to_string();
            assert_eq!(told.contains(text), is_repeated, "{told}");
            assert!(is_repeated || !told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn what_would_be_listed_twice_overlaps() {
        let overlaps = |one: &str, two: &str| {
            Location::parse(one)
                .unwrap()
                .overlaps(&Location::parse(two).unwrap())
        };
        assert!(overlaps("a", "a/b/"));
        assert!(overlaps("a/b", "a/bc"));
        assert!(overlaps("s3://a/b", "gs://a/c"));
        assert!(!overlaps("a/b/", "a/c/") && !overlaps("a", "b"));
    }
}
