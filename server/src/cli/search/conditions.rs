//! Conditions as they are typed: `author=Ada`, `modified>=2026-01-01`, `path^=handbook/`.

use lectern_domain::attribute::{AttributeValue, parse_date};
use lectern_domain::filter::{Attribute, Comparison, Filter, Range, TextPart};

/// The operators, those that begin like another after it.
const OPERATORS: [&str; 9] = ["!=", ">=", "<=", "^=", "*=", "=", ">", "<", "?"];

/// Reads a condition. A value that is a number or a date counts as one where it is compared by `<` and `>`; with `=` it
/// may be a text as well.
///
/// # Errors
/// What is missing, with an example.
pub fn condition(text: &str) -> Result<Filter, String> {
    let found = OPERATORS
        .iter()
        .filter_map(|operator| Some((text.find(operator)?, *operator)))
        .min_by_key(|(place, operator)| (*place, std::cmp::Reverse(operator.len())));
    let Some((place, operator)) = found else {
        return Err(format!(
            "{text:?} has no operator (for example author=Ada, modified>=2026-01-01, path^=handbook/, author?)"
        ));
    };
    let (attribute, value) = (text[..place].trim(), text[place + operator.len()..].trim());
    if attribute.is_empty() {
        return Err(format!("{text:?} names no attribute before {operator}"));
    }
    let filter = filter(attribute.to_owned(), operator, value)?;
    filter.check().map_err(|error| error.to_string())?;
    Ok(filter)
}

fn filter(attribute: String, operator: &str, value: &str) -> Result<Filter, String> {
    let part = |attribute| TextPart {
        attribute,
        text: value.to_owned(),
    };
    let range = |attribute: String, set: fn(&mut Range, AttributeValue)| {
        let Some(bound) = ordered(value) else {
            return Err(format!(
                "{value:?} is neither a number nor a date (such as 2026-01-31)"
            ));
        };
        let mut range = Range {
            attribute,
            ..Range::default()
        };
        set(&mut range, bound);
        Ok(Filter::Range(range))
    };
    match operator {
        "=" => Ok(equals(&attribute, value)),
        "!=" => Ok(Filter::Not(Box::new(equals(&attribute, value)))),
        "^=" => Ok(Filter::StartsWith(part(attribute))),
        "*=" => Ok(Filter::Contains(part(attribute))),
        ">=" => range(attribute, |range, bound| range.at_least = Some(bound)),
        "<=" => range(attribute, |range, bound| range.at_most = Some(bound)),
        ">" => range(attribute, |range, bound| range.above = Some(bound)),
        "<" => range(attribute, |range, bound| range.below = Some(bound)),
        _ if value.is_empty() => Ok(Filter::Exists(Attribute { attribute })),
        _ => Err(format!(
            "nothing may stand after {attribute}? (it asks whether there is one)"
        )),
    }
}

fn equals(attribute: &str, value: &str) -> Filter {
    let is = |value| {
        Filter::Equals(Comparison {
            attribute: attribute.to_owned(),
            value,
        })
    };
    let text = is(AttributeValue::Text(value.to_owned()));
    match value.parse().ok().filter(|number: &f64| number.is_finite()) {
        Some(number) => Filter::Or(vec![text, is(AttributeValue::Number(number))]),
        None => text,
    }
}

fn ordered(value: &str) -> Option<AttributeValue> {
    let number = value.parse().ok().filter(|number: &f64| number.is_finite());
    number
        .map(AttributeValue::Number)
        .or_else(|| parse_date(value).map(AttributeValue::Date))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        let attributes = r#"{"author":["Ada"],"pages":12,"modified":"2026-03-01T00:00:00Z","path":"a/b.md","year":"2026"}"#;
        condition(text)
            .unwrap()
            .matches(&serde_json::from_str(attributes).unwrap())
    }

    #[test]
    fn conditions_mean_what_they_look_like() {
        for (text, expected) in [
            ("author=Ada", true),
            ("author != Ada", false),
            ("author!=Bo", true),
            ("pages=12", true),
            ("year=2026", true),
            ("pages>11", true),
            ("pages>=12.5", false),
            ("modified>=2026-03-01", true),
            ("modified<2026-03-01", false),
            ("path^=a/", true),
            ("path*=B.MD", true),
            ("author?", true),
            ("editor?", false),
        ] {
            assert_eq!(passes(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, said) in [
            ("author", "has no operator"),
            ("=Ada", "names no attribute"),
            ("pages>many", "neither a number nor a date"),
            ("author?Ada", "nothing may stand after"),
            ("path^=", "empty text"),
        ] {
            let error = condition(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
