//! What is said in blocks and attachments, written as Slack's own markup would say it.
//!
//! So there is one way from markup to Markdown, whatever a message is made of. The nesting of blocks is bounded by the
//! reader of JSON.

use serde_json::Value;

use crate::clean::{some_text, text};

/// The text of a message, and what its blocks say besides. Each is a part of its own.
pub(crate) fn said(message: &Value) -> Vec<String> {
    let text = some_text(message, "text");
    let mut parts: Vec<String> = text.clone().into_iter().collect();
    for block in message["blocks"].as_array().into_iter().flatten() {
        // What a person wrote is in both, and the text is the better known form of it.
        if text.is_some() && block["type"] == "rich_text" {
            continue;
        }
        let written = written(block);
        let is_new = !parts.iter().any(|part| part.contains(written.trim()));
        if is_new && !written.trim().is_empty() {
            parts.push(written);
        }
    }
    parts
}

/// Each attachment: the preview of a link, the message of a program in its old form, a message that was shared.
pub(crate) fn attachments(message: &Value) -> Vec<String> {
    let attachments = message["attachments"].as_array().into_iter().flatten();
    attachments
        .map(attachment)
        .filter(|text| !text.trim().is_empty())
        .collect()
}

fn attachment(attachment: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(some_text(attachment, "pretext"));
    lines.extend(some_text(attachment, "author_name"));
    if let Some(title) = some_text(attachment, "title") {
        let link = some_text(attachment, "title_link").or_else(|| some_text(attachment, "from_url"));
        lines.push(match link {
            Some(link) => linked(&link, &title),
            None => format!("*{title}*"),
        });
    }
    lines.extend(some_text(attachment, "text"));
    for field in attachment["fields"].as_array().into_iter().flatten() {
        let (title, value) = (some_text(field, "title"), some_text(field, "value"));
        let parts: Vec<String> = title.into_iter().chain(value).collect();
        lines.push(parts.join(": "));
    }
    for block in attachment["blocks"].as_array().into_iter().flatten() {
        lines.push(written(block));
    }
    for shared in attachment["message_blocks"].as_array().into_iter().flatten() {
        let blocks = shared["message"]["blocks"].as_array().into_iter().flatten();
        let is_said = attachment["text"]
            .as_str()
            .is_some_and(|text| !text.trim().is_empty());
        lines.extend(blocks.filter(|_| !is_said).map(written));
    }
    lines.extend(some_text(attachment, "footer"));
    lines.retain(|line| !line.trim().is_empty());
    if lines.is_empty() {
        lines.extend(some_text(attachment, "fallback"));
    }
    lines.join("\n")
}

/// What a block says.
fn written(block: &Value) -> String {
    match block["type"].as_str().unwrap_or_default() {
        "rich_text" => rich_elements(block),
        "context" | "actions" => joined(block["elements"].as_array(), " ", plain_element),
        "image" => some_text(block, "alt_text")
            .or_else(|| text_of(&block["title"]))
            .unwrap_or_default(),
        "video" => text_of(&block["title"]).unwrap_or_default(),
        "markdown" => some_text(block, "text").unwrap_or_default(),
        _ => {
            let mut lines: Vec<String> = text_of(&block["text"]).into_iter().collect();
            let fields = block["fields"].as_array().into_iter().flatten();
            lines.extend(fields.filter_map(text_of));
            lines.join("\n")
        }
    }
}

/// `{"type": "mrkdwn", "text": "..."}`
fn text_of(object: &Value) -> Option<String> {
    some_text(object, "text")
}

fn plain_element(element: &Value) -> String {
    text_of(element)
        .or_else(|| text_of(&element["text"]))
        .or_else(|| some_text(element, "alt_text"))
        .unwrap_or_default()
}

fn joined(elements: Option<&Vec<Value>>, between: &str, write: impl Fn(&Value) -> String) -> String {
    let parts: Vec<String> = elements.into_iter().flatten().map(write).collect();
    parts.join(between)
}

fn rich_elements(block: &Value) -> String {
    joined(block["elements"].as_array(), "\n", rich)
}

/// A section, list, quotation or code of a text that a person wrote.
fn rich(element: &Value) -> String {
    let inline = || joined(element["elements"].as_array(), "", rich_inline);
    match element["type"].as_str().unwrap_or_default() {
        "rich_text_list" => joined(element["elements"].as_array(), "\n", |item| {
            format!("• {}", rich(item))
        }),
        "rich_text_quote" => {
            let quoted: Vec<String> = inline().lines().map(|line| format!("&gt; {line}")).collect();
            quoted.join("\n")
        }
        "rich_text_preformatted" => format!("```{}```", inline()),
        _ => inline(),
    }
}

fn rich_inline(element: &Value) -> String {
    let label = || text(element, "text").filter(|text| !text.is_empty());
    let id = |key: &str| some_text(element, key).unwrap_or_default();
    match element["type"].as_str().unwrap_or_default() {
        "text" => styled(
            &escaped(&text(element, "text").unwrap_or_default()),
            &element["style"],
        ),
        "link" => {
            let url = id("url");
            match label() {
                Some(label) => linked(&escaped(&url), &escaped(&label)),
                None => format!("<{}>", escaped(&url)),
            }
        }
        "user" => format!("<@{}>", id("user_id")),
        "channel" => format!("<#{}>", id("channel_id")),
        "usergroup" => format!("<!subteam^{}>", id("usergroup_id")),
        "broadcast" => format!("<!{}>", id("range")),
        "emoji" => format!(":{}:", id("name")),
        "date" => escaped(&id("fallback")),
        "color" => escaped(&id("value")),
        _ => label().map(|label| escaped(&label)).unwrap_or_default(),
    }
}

fn linked(url: &str, label: &str) -> String {
    format!(
        "<{}|{}>",
        url.replace(['<', '>', '|'], ""),
        label.replace(['<', '>', '|', '\n'], " ")
    )
}

fn styled(text: &str, style: &Value) -> String {
    let mut styled = text.to_owned();
    if text.trim() != text || text.contains('\n') {
        return styled;
    }
    for (name, sign) in [("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*")] {
        if style[name] == true {
            styled = format!("{sign}{styled}{sign}");
        }
    }
    styled
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
