//! The HTML of a message as Markdown: its words, lists, bold words and quotes.
//!
//! The way: `lectern_connector_markup` cuts HTML into tags and words, [`elements`] says which elements are open, as far as that matters, and [`page`]
//! writes lines. There is no tree: what a message says takes memory and time by its length, whatever is open in it or left open.
//!
//! A link becomes its words and a picture its description. Messages are laid out with tables, so a table becomes lines: a row is one, its
//! cells with `|` between them, and a cell of several lines stands for itself. A heading becomes a bold line, since the headings of
//! the document are the messages. What isn't shown, and what a program marks as a signature, is left out.

mod elements;
mod page;

use lectern_connector_markup::{Token, Tokens, add_decoded};

use elements::Elements;
use page::Page;

/// Markdown of HTML. Ends early where it has more than so many bytes.
pub(crate) fn to_markdown(html: &str, most_bytes: usize) -> String {
    let (mut page, mut elements) = (Page::default(), Elements::default());
    let mut words = String::new();
    for token in Tokens::new(html) {
        if page.bytes() > most_bytes {
            break;
        }
        match token {
            Token::Start(tag) => elements.start(&tag, &mut page),
            Token::End(name) => elements.end(name, &mut page),
            Token::Words(text) => {
                words.clear();
                add_decoded(text, &mut words);
                page.words(&words);
            }
        }
    }
    elements.end_all(&mut page);
    page.finish()
}

#[cfg(test)]
mod tests;
