//! What people type, read as a query: words, `"phrases"`, `+must`, `-not`, `title:word`, `attribute:value`.
//!
//! Nothing that is typed is wrong. A sign is an operator only where it can't be anything else: before a letter or a
//! quotation mark, at the beginning of a word; a name before a colon only where it names a field or an attribute of
//! the knowledge base and the value follows at once. All else stays what it is, words, so that `-5 degrees`, `C++`,
//! `a - b`, `16:9` and an address of a page are questions like any other. A text without operators is
//! [`WordQuery::plain`].
//!
//! | typed | means |
//! |---|---|
//! | `"annual report"` | these words must stand there in this order |
//! | `+word` `-word` | it must be there, it must not |
//! | `title:word` `heading:word` `text:"some words"` | it must be there, in that place |
//! | `author:ada` | the attribute has `ada` in it, whatever its case; or is that number, or that day |
//! | `author:=Ada` `author:Ad*` `author:*` | it is exactly that, it begins so, there is one |
//! | `pages:>=10` `pages:10..20` `modified:<2024-05` | it lies between bounds: numbers, or years, months and days |
//! | `-author:ada` | no such document |

use lectern_domain::filter::{Attribute, Comparison, Range, TextPart};
use lectern_domain::{AttributeValue, Filter, Occurrence, WordClause, WordField, WordQuery};

use crate::query_values::{Bound, Value};
use crate::words::words_of;

/// The most operators of a text; what comes after them stays words.
const MOST_OPERATORS: usize = 32;
/// The longest phrase, or value of an attribute, in bytes.
const LONGEST_QUOTED: usize = 1_000;
/// The longest name of an attribute, in bytes.
const LONGEST_NAME: usize = 100;

/// What a text was read into.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedQuery {
    /// The words. Without clauses where nothing but attributes was typed.
    pub words: WordQuery,
    /// What the attributes must be.
    pub filter: Option<Filter>,
}

/// Reads a text. `is_attribute` tells which names before a colon are attributes of the knowledge base.
pub fn read(text: &str, is_attribute: impl Fn(&str) -> bool) -> ParsedQuery {
    let mut reader = Reader::default();
    let mut rest = 0;
    while let Some(piece) = next_piece(text, rest) {
        let operator = match reader.operators < MOST_OPERATORS {
            true => operator(text, piece.start, &is_attribute),
            false => None,
        };
        match operator {
            Some(operator) => {
                rest = operator.end;
                reader.take(text, operator);
            }
            None => {
                rest = piece.end;
                reader.plain.get_or_insert(piece.start);
                reader.plain_end = piece.end;
            }
        }
    }
    reader.into_query(text)
}

#[derive(Default)]
struct Reader {
    clauses: Vec<WordClause>,
    filters: Vec<Filter>,
    operators: usize,
    /// Where the words begin that were read since the last operator.
    plain: Option<usize>,
    plain_end: usize,
}

impl Reader {
    fn take(&mut self, text: &str, operator: Operator) {
        self.end_plain(text);
        self.operators += 1;
        match operator.means {
            Means::Words(clause) => self.clauses.push(clause),
            Means::Attribute(filter) => self.filters.push(filter),
        }
    }

    fn end_plain(&mut self, text: &str) {
        let Some(start) = self.plain.take() else { return };
        self.clauses.push(WordClause {
            text: text.get(start..self.plain_end).unwrap_or_default().to_owned(),
            ..WordClause::default()
        });
    }

    fn into_query(mut self, text: &str) -> ParsedQuery {
        if self.operators == 0 {
            return ParsedQuery {
                words: WordQuery::plain(text),
                filter: None,
            };
        }
        self.end_plain(text);
        ParsedQuery {
            words: WordQuery {
                clauses: self.clauses,
                ..WordQuery::default()
            },
            filter: match self.filters.len() {
                0 | 1 => self.filters.pop(),
                _ => Some(Filter::And(self.filters)),
            },
        }
    }
}

/// What an operator means, and where it ends.
struct Operator {
    means: Means,
    end: usize,
}

enum Means {
    Words(WordClause),
    Attribute(Filter),
}

/// The next stretch without white space.
fn next_piece(text: &str, from: usize) -> Option<std::ops::Range<usize>> {
    let rest = text.get(from..)?;
    let start = from + rest.find(|c: char| !c.is_whitespace())?;
    Some(start..end_of_piece(text, start))
}

fn end_of_piece(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.find(char::is_whitespace).map_or(text.len(), |at| start + at)
}

/// The operator that a piece begins with, if it does.
fn operator(text: &str, start: usize, is_attribute: &dyn Fn(&str) -> bool) -> Option<Operator> {
    let rest = text.get(start..)?;
    let (sign, start) = match rest.chars().next()? {
        '+' => (Some(Occurrence::Must), start + 1),
        '-' => (Some(Occurrence::MustNot), start + 1),
        _ => (None, start),
    };
    let first = text.get(start..)?.chars().next()?;
    if sign.is_some() && !first.is_alphabetic() && closing(first).is_none() {
        return None;
    }
    let occurrence = sign.unwrap_or(Occurrence::Must);
    if let Some(quoted) = quoted(text, start) {
        let clause = clause(quoted.text, WordField::Any, occurrence)?;
        return Some(Operator {
            means: Means::Words(clause),
            end: quoted.end,
        });
    }
    if let Some(named) = named(text, start, occurrence, is_attribute) {
        return Some(named);
    }
    let end = end_of_piece(text, start);
    let word = text.get(start..end)?;
    // One letter after a sign is an option of a command.
    if sign.is_none() || word.chars().nth(1).is_none() {
        return None;
    }
    let clause = clause(word, WordField::Any, occurrence)?;
    Some(Operator {
        means: Means::Words(clause),
        end,
    })
}

struct Quoted<'a> {
    text: &'a str,
    end: usize,
}

/// The quotation mark that ends what this one begins.
fn closing(opening: char) -> Option<&'static [char]> {
    match opening {
        '"' => Some(&['"']),
        '\u{201c}' => Some(&['\u{201d}']),
        '\u{201e}' => Some(&['\u{201c}', '\u{201d}']),
        '\u{ab}' => Some(&['\u{bb}']),
        _ => None,
    }
}

fn quoted(text: &str, start: usize) -> Option<Quoted<'_>> {
    let rest = text.get(start..)?;
    let opening = rest.chars().next()?;
    let closing = closing(opening)?;
    let inner = rest.get(opening.len_utf8()..)?;
    if inner.starts_with(char::is_whitespace) {
        return None;
    }
    let within = inner.char_indices().take_while(|(at, _)| *at <= LONGEST_QUOTED);
    let (length, mark) = within.into_iter().find(|(_, c)| closing.contains(c))?;
    Some(Quoted {
        text: inner.get(..length)?,
        end: start + opening.len_utf8() + length + mark.len_utf8(),
    })
}

/// A clause of those words; `None` where there is no word among them.
fn clause(text: &str, field: WordField, occurrence: Occurrence) -> Option<WordClause> {
    let words = words_of(text).len();
    (words > 0).then(|| WordClause {
        field,
        occurrence,
        is_phrase: words > 1,
        text: text.to_owned(),
        synonyms: Vec::new(),
    })
}

/// A field or an attribute and its value, with nothing between the colon and the value.
fn named(
    text: &str,
    start: usize,
    occurrence: Occurrence,
    is_attribute: &dyn Fn(&str) -> bool,
) -> Option<Operator> {
    let rest = text.get(start..)?;
    let colon = rest
        .char_indices()
        .take_while(|(at, c)| *at <= LONGEST_NAME && (c.is_alphanumeric() || "_-.:".contains(*c)))
        .find(|(_, c)| *c == ':')?
        .0;
    let name = rest.get(..colon)?;
    let value_start = start + colon + 1;
    let field = match name.to_lowercase().as_str() {
        "title" => Some(WordField::Title),
        "heading" | "headings" => Some(WordField::Heading),
        "text" => Some(WordField::Text),
        _ => None,
    };
    if let Some(field) = field {
        let (value, end) = value(text, value_start)?;
        let means = Means::Words(clause(value, field, occurrence)?);
        return Some(Operator { means, end });
    }
    if !name.starts_with(char::is_alphabetic) || !is_attribute(name) {
        return None;
    }
    let (filter, end) = condition(text, name, value_start)?;
    let means = match occurrence {
        Occurrence::MustNot => Filter::Not(Box::new(filter)),
        _ => filter,
    };
    Some(Operator {
        means: Means::Attribute(means),
        end,
    })
}

/// A value, quoted or up to the next white space; not an address of a page.
fn value(text: &str, start: usize) -> Option<(&str, usize)> {
    if let Some(quoted) = quoted(text, start) {
        return (!quoted.text.is_empty()).then_some((quoted.text, quoted.end));
    }
    let end = end_of_piece(text, start);
    let value = text.get(start..end)?;
    let is_value = !value.is_empty() && value.len() <= LONGEST_QUOTED && !value.starts_with("//");
    is_value.then_some((value, end))
}

/// What an attribute must be, and where that ends.
fn condition(text: &str, name: &str, start: usize) -> Option<(Filter, usize)> {
    let rest = text.get(start..)?;
    let sign = [">=", "<=", ">", "<", "="]
        .into_iter()
        .find(|sign| rest.starts_with(*sign));
    let sign = sign.unwrap_or_default();
    let (value, end) = value(text, start + sign.len())?;
    let is_quoted = closing(text.get(start + sign.len()..)?.chars().next()?).is_some();
    let range = |at_least: Option<Bound>, below: Option<Bound>| ranges(name, at_least, below);
    let filter = match sign {
        ">=" => range(Some(Value::of(value)?.from()), None)?,
        ">" => range(Some(Value::of(value)?.after()), None)?,
        "<" => range(None, Some(Value::of(value)?.before()))?,
        "<=" => range(None, Some(Value::of(value)?.until()))?,
        "=" => equal(name, value),
        _ if is_quoted => any_of(name, value, Filter::Contains),
        _ if value == "*" => Filter::Exists(Attribute {
            attribute: name.to_owned(),
        }),
        _ => unquoted(name, value)?,
    };
    Some((filter, end))
}

/// A value without a sign and without quotation marks: a part, a beginning or a range.
fn unquoted(name: &str, value: &str) -> Option<Filter> {
    if let Some((first, last)) = value.split_once("..")
        && let (Some(first), Some(last)) = (Value::of(first), Value::of(last))
        && let Some(filter) = ranges(name, Some(first.from()), Some(last.until()))
    {
        return Some(filter);
    }
    if let Some(beginning) = value.strip_suffix('*').filter(|beginning| !beginning.is_empty()) {
        return Some(any_of(name, beginning, Filter::StartsWith));
    }
    Some(any_of(name, value, Filter::Contains))
}

/// The text is a part of the attribute, or it is that number or day.
fn any_of(name: &str, text: &str, in_text: impl Fn(TextPart) -> Filter) -> Filter {
    let in_text = in_text(TextPart {
        attribute: name.to_owned(),
        text: text.to_owned(),
    });
    match Value::of(text).and_then(|value| ranges(name, Some(value.from()), Some(value.until()))) {
        Some(as_value) => Filter::Or(vec![in_text, as_value]),
        None => in_text,
    }
}

fn equal(name: &str, text: &str) -> Filter {
    let as_text = Filter::Equals(Comparison {
        attribute: name.to_owned(),
        value: AttributeValue::Text(text.to_owned()),
    });
    match Value::of(text).and_then(|value| ranges(name, Some(value.from()), Some(value.until()))) {
        Some(as_value) => Filter::Or(vec![as_text, as_value]),
        None => as_text,
    }
}

/// Between two bounds, as numbers and as dates, whichever both of them can be.
fn ranges(name: &str, from: Option<Bound>, to: Option<Bound>) -> Option<Filter> {
    let filters = [Bound::as_number, Bound::as_date].into_iter().filter_map(|read| {
        let mut range = Range {
            attribute: name.to_owned(),
            ..Range::default()
        };
        for (bound, is_lower) in [(&from, true), (&to, false)] {
            let Some(bound) = bound else { continue };
            let (value, is_included) = read(bound)?;
            let place = match (is_lower, is_included) {
                (true, true) => &mut range.at_least,
                (true, false) => &mut range.above,
                (false, true) => &mut range.at_most,
                (false, false) => &mut range.below,
            };
            *place = Some(value);
        }
        Some(Filter::Range(range))
    });
    let mut filters: Vec<Filter> = filters.collect();
    match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(Filter::Or(filters)),
    }
}

#[cfg(test)]
mod tests;
