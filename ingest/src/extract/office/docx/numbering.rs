//! Numbers of lists and headings, counted as Word does (ISO/IEC 29500-1, 17.9): the file has only the rules.

use std::collections::HashMap;

use super::super::xml::Element;

/// Lists have nine levels.
const LEVELS: usize = 9;

/// The lists of a document, and where their counters stand.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// The abstract list of each list, and the starts that it overrides by level.
    lists: HashMap<String, (String, HashMap<usize, u32>)>,
    abstracts: HashMap<String, Vec<Level>>,
    /// By abstract list: the last number of each level.
    counters: HashMap<String, [Option<u32>; LEVELS]>,
    /// Lists that have had an item: an overridden start counts for the first one.
    begun: HashMap<String, ()>,
}

#[derive(Clone, Debug, Default)]
struct Level {
    format: String,
    /// With `%1` to `%9` for the numbers of the levels.
    pattern: String,
    start: u32,
}

impl Numbering {
    /// Reads `w:numbering`.
    pub(super) fn of(numbering: &Element<'_>) -> Self {
        let abstracts = numbering
            .all("abstractNum")
            .filter_map(|list| Some((list.attribute("abstractNumId")?.to_owned(), levels(list))))
            .collect();
        let lists = numbering
            .all("num")
            .filter_map(|list| {
                let starts = list
                    .all("lvlOverride")
                    .filter_map(|level| {
                        let start = level.value_of("startOverride")?.parse().ok()?;
                        Some((level.attribute("ilvl")?.parse().ok()?, start))
                    })
                    .collect();
                let abstract_list = list.value_of("abstractNumId")?.to_owned();
                Some((list.attribute("numId")?.to_owned(), (abstract_list, starts)))
            })
            .collect();
        Self {
            lists,
            abstracts,
            ..Self::default()
        }
    }

    /// The mark of the next item of a list: `-`, or its number as the reader sees it; empty for a list without
    /// marks, `None` where there is no such list.
    pub(super) fn next(&mut self, list: &str, level: usize) -> Option<String> {
        let level = level.min(LEVELS - 1);
        let (abstract_list, starts) = self.lists.get(list)?;
        let levels = self.abstracts.get(abstract_list)?;
        let rule = levels.get(level)?;
        if rule.format == "none" {
            return Some(String::new());
        }
        if rule.format == "bullet" {
            return Some("-".to_owned());
        }
        let counters = self.counters.entry(abstract_list.clone()).or_default();
        if self.begun.insert(list.to_owned(), ()).is_none() && !starts.is_empty() {
            for overridden in starts.keys() {
                counters
                    .iter_mut()
                    .skip(*overridden)
                    .for_each(|counter| *counter = None);
            }
        }
        let start = |level: usize| {
            let stated = levels.get(level).map_or(1, |rule| rule.start);
            starts.get(&level).copied().unwrap_or(stated)
        };
        counters[level] = Some(counters[level].map_or_else(|| start(level), |last| last.saturating_add(1)));
        counters
            .iter_mut()
            .skip(level + 1)
            .for_each(|counter| *counter = None);
        let mut mark = rule.pattern.clone();
        for above in (0..=level).rev() {
            let number = *counters[above].get_or_insert_with(|| start(above));
            let format = levels.get(above).map_or("decimal", |rule| rule.format.as_str());
            mark = mark.replace(&format!("%{}", above + 1), &written(number, format));
        }
        Some(mark.trim().to_owned())
    }
}

fn levels(list: &Element<'_>) -> Vec<Level> {
    let mut levels = vec![Level::default(); LEVELS];
    for level in list.all("lvl") {
        let place: Option<usize> = level.attribute("ilvl").and_then(|level| level.parse().ok());
        if let Some(slot) = place.and_then(|place| levels.get_mut(place)) {
            *slot = Level {
                format: level.value_of("numFmt").unwrap_or("decimal").to_owned(),
                pattern: level.value_of("lvlText").unwrap_or_default().to_owned(),
                start: level
                    .value_of("start")
                    .and_then(|start| start.parse().ok())
                    .unwrap_or(1),
            };
        }
    }
    levels
}

/// A number in a format of Word's. What isn't known is written in digits.
fn written(number: u32, format: &str) -> String {
    match format {
        "lowerLetter" => letters(number, 'a'),
        "upperLetter" => letters(number, 'A'),
        "lowerRoman" => roman(number).to_lowercase(),
        "upperRoman" => roman(number),
        "decimalZero" => format!("{number:02}"),
        _ => number.to_string(),
    }
}

/// a to z, then aa to zz (the same letter again, as Word counts).
fn letters(number: u32, first: char) -> String {
    let place = number.saturating_sub(1);
    let letter = char::from_u32(u32::from(first) + place % 26).unwrap_or(first);
    let times = (place / 26 + 1).min(20);
    std::iter::repeat_n(letter, times as usize).collect()
}

fn roman(number: u32) -> String {
    const VALUES: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if number > 3999 {
        return number.to_string();
    }
    let mut rest = number;
    let mut roman = String::new();
    for (value, sign) in VALUES {
        while rest >= value {
            roman.push_str(sign);
            rest -= value;
        }
    }
    roman
}

#[cfg(test)]
mod tests {
    use super::super::super::xml::parse;
    use super::*;

    #[test]
    fn numbers_are_counted_by_level_and_go_on_or_start_again() {
        let xml = "<w:numbering><w:abstractNum w:abstractNumId='0'>\
            <w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>\
            <w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='%1.%2)'/></w:lvl>\
            <w:lvl w:ilvl='2'><w:numFmt w:val='bullet'/><w:lvlText w:val='o'/></w:lvl></w:abstractNum>\
            <w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>\
            <w:num w:numId='2'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='4'/></w:lvlOverride></w:num>\
            </w:numbering>";
        let tree = parse(xml).unwrap();
        let mut numbering = Numbering::of(tree.top().unwrap());
        let items = [
            ("1", 0),
            ("1", 1),
            ("1", 1),
            ("1", 2),
            ("1", 0),
            ("1", 1),
            ("2", 0),
            ("2", 0),
        ];
        let marks = items.map(|(list, level)| numbering.next(list, level).unwrap());
        assert_eq!(marks, ["1.", "1.a)", "1.b)", "-", "2.", "2.a)", "4.", "5."]);
        assert_eq!(numbering.next("3", 0), None);
        assert_eq!(
            (roman(1994).as_str(), letters(28, 'a').as_str()),
            ("MCMXCIV", "bb")
        );
    }
}
