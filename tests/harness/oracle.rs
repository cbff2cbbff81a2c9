//! Documents whose text is a function of their number and version, so that whoever knows which ones there
//! must be knows what must be found, and what must not.

use std::collections::BTreeMap;

use super::Workplace;

/// Which documents there must be, and in which version.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    versions: BTreeMap<usize, u32>,
}

impl Oracle {
    /// Writes the document `number` in `version`; a later version takes the place of an earlier one.
    pub fn write(&mut self, workplace: &Workplace, number: usize, version: u32) {
        workplace.write(name(number), text(number, version));
        self.versions.insert(number, version);
    }

    /// Takes the document away.
    pub fn remove(&mut self, workplace: &Workplace, number: usize) {
        workplace.remove(&name(number));
        self.versions.remove(&number);
    }

    /// How many documents there must be.
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// The documents and their versions.
    pub fn documents(&self) -> impl Iterator<Item = (usize, u32)> {
        self.versions.iter().map(|(number, version)| (*number, *version))
    }
}

/// The file of a document.
pub fn name(number: usize) -> String {
    format!("{:02}/document-{number:04}.md", number % 17)
}

/// A word that no other document and no other version has.
pub fn word(number: usize, version: u32) -> String {
    let letters = |mut value: usize| {
        let mut text = String::new();
        for _ in 0..4 {
            text.push(char::from(b'a' + u8::try_from(value % 26).unwrap()));
            value /= 26;
        }
        text
    };
    format!("q{}x{}z", letters(number), letters(version as usize))
}

fn text(number: usize, version: u32) -> String {
    let word = word(number, version);
    format!(
        "# Record {word}\n\nThis is what was written down under {word}: parcel {number} was weighed, \
         packed and handed to the carrier on the evening of the delivery. {}\n",
        "The carrier signed for it, put it on the lorry and drove to the coast. ".repeat(6)
    )
}

/// A generator of numbers that look random and can be had again from their seed (`SplitMix64`; Steele, Lea and
/// Flood 2014, "Fast splittable pseudorandom number generators").
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a new seed, or of the one in `LECTERN_TEST_SEED`. The seed is printed.
    pub fn new() -> Self {
        let given = std::env::var("LECTERN_TEST_SEED")
            .ok()
            .map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            now.as_secs() ^ u64::from(now.subsec_nanos()) << 20
        });
        println!("again with the same dice: LECTERN_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        low + usize::try_from(mixed % (high - low + 1) as u64).unwrap()
    }
}
