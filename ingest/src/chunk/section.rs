//! Sections: what stands under one heading.
//!
//! A section too small to be found for itself joins its neighbour, where both fit one chunk and neither loses
//! a heading by it: the joined chunk carries the headings they have in common, and the other headings stand in
//! its text. A document that fits one chunk is one chunk.

use lectern_domain::{BlockKind, Extracted, TextSpan};

use super::atom::{Atom, atoms};
use super::sizer::Sizer;

/// Text under one heading, or under several that were joined.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The headings above it, highest first, its own the last.
    pub(super) heading_path: Vec<String>,
    /// In the order of the text, never empty.
    pub(super) atoms: Vec<Atom>,
    /// Its own heading, for the case that it joins a section before it.
    heading: Option<Atom>,
    is_joined: bool,
}

impl Section {
    fn tokens(&self) -> usize {
        self.atoms.iter().map(|atom| atom.tokens).sum()
    }

    fn tokens_with_heading(&self) -> usize {
        self.tokens() + self.heading.as_ref().map_or(0, |heading| heading.tokens)
    }
}

/// Cuts a document at its headings. Headings without text under them make no section, unless the document
/// has nothing else.
pub(super) fn sections(extracted: &Extracted, sizer: &Sizer<'_>) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut path: Vec<(u8, String)> = Vec::new();
    let mut open = Opened::default();
    let mut read_to = 0;
    for block in &extracted.blocks {
        // What doesn't fit the text, or lies before what was read, comes from no extractor of ours.
        if block.span.start < read_to || block.span.of(&extracted.text).is_none() {
            continue;
        }
        read_to = block.span.end;
        if let BlockKind::Heading { level, title } = &block.kind {
            sections.extend(open.close(&path));
            path.retain(|(above, _)| above < level);
            path.push((*level, title.clone()));
            open = Opened::under(atoms(&BlockKind::Code, block.span, block.page, sizer, usize::MAX).pop());
        } else {
            let budget = *open.budget.get_or_insert_with(|| {
                let headings: Vec<String> = path.iter().map(|(_, title)| title.clone()).collect();
                sizer.budget(&sizer.fitting_path(&headings))
            });
            open.atoms
                .extend(atoms(&block.kind, block.span, block.page, sizer, budget));
        }
    }
    sections.extend(open.close(&path));
    if sections.is_empty() {
        sections.extend(without_structure(extracted, sizer));
    }
    sections
}

/// The section that is being read.
#[derive(Default)]
struct Opened {
    heading: Option<Atom>,
    atoms: Vec<Atom>,
    budget: Option<usize>,
}

impl Opened {
    fn under(heading: Option<Atom>) -> Self {
        Self {
            heading,
            ..Self::default()
        }
    }

    fn close(self, path: &[(u8, String)]) -> Option<Section> {
        if self.atoms.is_empty() {
            return None;
        }
        Some(Section {
            heading_path: path.iter().map(|(_, title)| title.clone()).collect(),
            atoms: self.atoms,
            heading: self.heading,
            is_joined: false,
        })
    }
}

/// A document that has headings alone, or text alone: all of it is one section.
fn without_structure(extracted: &Extracted, sizer: &Sizer<'_>) -> Option<Section> {
    let whole = TextSpan {
        start: 0,
        end: extracted.text.len(),
    };
    let page = extracted.blocks.first().and_then(|block| block.page);
    let atoms = atoms(&BlockKind::Paragraph, whole, page, sizer, sizer.budget(&[]));
    (!atoms.is_empty()).then_some(Section {
        heading_path: Vec::new(),
        atoms,
        heading: None,
        is_joined: false,
    })
}

/// Joins small sections with their neighbours, and a whole document that fits one chunk.
pub(super) fn join_small(sections: Vec<Section>, sizer: &Sizer<'_>) -> Vec<Section> {
    let total: usize = sections.iter().map(Section::tokens_with_heading).sum();
    let is_one_chunk = total <= sizer.budget(&[]);
    let mut joined: Vec<Section> = Vec::with_capacity(sections.len());
    for section in sections {
        match joined.pop() {
            None => joined.push(section),
            Some(last) => match join(&last, &section, is_one_chunk, sizer) {
                Some(both) => joined.push(both),
                None => joined.extend([last, section]),
            },
        }
    }
    joined
}

/// Both as one, where that helps and harms nothing.
fn join(last: &Section, next: &Section, is_one_chunk: bool, sizer: &Sizer<'_>) -> Option<Section> {
    let min_tokens = sizer.min_tokens;
    let common = last
        .heading_path
        .iter()
        .zip(&next.heading_path)
        .take_while(|(left, right)| left == right)
        .count();
    // The first one's own heading stands in the joined text; a heading above that would be lost.
    let own_headings = usize::from(!last.is_joined && last.heading.is_some());
    let loses_headings = last.heading_path.len() > common + own_headings;
    let helps = last.tokens() < min_tokens || next.tokens() < min_tokens;
    if !is_one_chunk && (!helps || loses_headings) {
        return None;
    }
    let own_heading = last
        .heading
        .as_ref()
        .filter(|_| !last.is_joined && common < last.heading_path.len());
    let heading_path = last.heading_path[..common].to_vec();
    let tokens = own_heading.map_or(0, |heading| heading.tokens) + last.tokens() + next.tokens_with_heading();
    if tokens > sizer.budget(&sizer.fitting_path(&heading_path)) {
        return None;
    }
    let mut atoms: Vec<Atom> = own_heading.cloned().into_iter().collect();
    atoms.extend(last.atoms.iter().cloned());
    atoms.extend(next.heading.iter().cloned());
    atoms.extend(next.atoms.iter().cloned());
    Some(Section {
        heading_path,
        atoms,
        heading: last.heading.clone(),
        is_joined: true,
    })
}
