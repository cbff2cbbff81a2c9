//! Reading a stream of server-sent events (HTML Living Standard, section 9.2).

use serde_json::Value;

/// An event: its name and its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

/// The events of a whole stream, in their order. Comments, which keep a connection alive, are left out.
pub fn parse(stream: &str) -> Vec<Event> {
    stream.split("\n\n").filter_map(event).collect()
}

fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let values: Vec<&str> = block
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
            .collect();
        (!values.is_empty()).then(|| values.join("\n"))
    };
    let data = field("data")?;
    Some(Event {
        name: field("event").unwrap_or_default(),
        data: serde_json::from_str(&data).unwrap(),
    })
}

/// The numbers that a text cites: 3 and 1 in "so [3], as before [1]".
pub fn cited_numbers(text: &str) -> Vec<u64> {
    let pieces = text.split('[').skip(1);
    pieces
        .filter_map(|piece| piece.split_once(']')?.0.parse().ok())
        .collect()
}
