//! What the vendors' words have in common.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::Fault;
use crate::call::{Completion, Content, Finish, Message, Part, Request, Role, ToolCall, Usage};

/// Why a request cannot be made: the vendor has no words for it.
pub(super) type Inexpressible = String;

/// What was understood of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) completion: Completion,
    pub(super) usage: Option<Usage>,
}

/// What an event of a stream brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing of the answer.
    Nothing,
    /// A part of the answer.
    Token,
    /// The end mark.
    End,
}

/// Puts an answer together from the events of a stream.
pub(super) trait Assemble: Send {
    /// Takes the data of one event in.
    fn take(&mut self, data: &str) -> Result<Progress, Fault>;

    /// Whether a stream may end here although there was no end mark, because the vendor sends none.
    fn may_end(&self) -> bool {
        false
    }

    /// The answer.
    fn finish(self: Box<Self>) -> Result<Decoded, Fault>;
}

/// Reads the data of an event; it was whole, so what cannot be read is garbage.
pub(super) fn event<'d, T: Deserialize<'d>>(data: &'d str) -> Result<T, Fault> {
    serde_json::from_str(data)
        .map_err(|error| Fault::garbage(format!("an event cannot be read ({error})")).saying(data.as_bytes()))
}

/// Body fields that are decided elsewhere; `extra` must not turn a request into another one than is kept.
const DECIDED: [&str; 9] =
    ["model", "messages", "input", "contents", "instructions", "system", "systemInstruction", "stream", "n"];

/// Refuses what no vendor could answer as it was meant.
pub(super) fn check(request: &Request) -> Result<(), Inexpressible> {
    if request.messages.is_empty() {
        return Err("there is nothing to say: `messages` is empty".to_owned());
    }
    if let Some(name) = DECIDED.iter().find(|name| request.params.extra.contains_key(**name)) {
        return Err(format!("`params.extra` cannot set `{name}`"));
    }
    for (name, number) in [("temperature", request.params.temperature), ("top_p", request.params.top_p)] {
        if number.is_some_and(|number| !number.is_finite()) {
            return Err(format!("`params.{name}` is not a number"));
        }
    }
    for message in &request.messages {
        let has_images = matches!(&message.content, Content::Parts(parts)
            if parts.iter().any(|part| matches!(part, Part::Image { .. })));
        if has_images && message.role != Role::User {
            return Err("an image can only stand in a turn of the user".to_owned());
        }
        if !message.tool_calls.is_empty() && message.role != Role::Assistant {
            return Err("only a turn of the assistant can call tools".to_owned());
        }
        if message.role == Role::Tool && message.tool_call_id.is_none() {
            return Err("a turn of a tool needs `tool_call_id`".to_owned());
        }
    }
    Ok(())
}

/// An image by reference.
pub(super) enum Image<'a> {
    /// At an address.
    Url(&'a str),
    /// In a `data:` URL, base64.
    Data { media_type: &'a str, base64: &'a str },
}

/// Reads a reference to an image.
pub(super) fn image(url: &str) -> Result<Image<'_>, Inexpressible> {
    let Some(data) = url.strip_prefix("data:") else {
        return match url.split_once("://") {
            Some(("http" | "https" | "gs", _)) => Ok(Image::Url(url)),
            _ => Err(format!("`{}` is no address of an image", url.chars().take(80).collect::<String>())),
        };
    };
    match data.split_once(',').and_then(|(head, base64)| Some((head.strip_suffix(";base64")?, base64))) {
        Some((media_type, base64)) if media_type.starts_with("image/") && !base64.is_empty() => {
            Ok(Image::Data { media_type: media_type.split(';').next().unwrap_or(media_type), base64 })
        }
        _ => Err("a `data:` URL of an image must look like `data:image/png;base64,…`".to_owned()),
    }
}

/// The texts of a message that holds nothing else.
pub(super) fn only_text(message: &Message) -> std::borrow::Cow<'_, str> {
    match &message.content {
        Content::Text(text) => text.into(),
        parts @ Content::Parts(_) => parts.to_text().into(),
    }
}

/// The arguments of a call as the text that vendors want.
pub(super) fn arguments_text(call: &ToolCall) -> String {
    match &call.arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The arguments of a call as vendors give them: an object, or the text where it is none.
pub(super) fn arguments(value: Value) -> Value {
    match value {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(object @ Value::Object(_)) => object,
            _ => Value::String(text),
        },
        other => other,
    }
}

/// The id of a call; made up from its place where the vendor gives none.
pub(super) fn call_id(given: Option<String>, place: usize) -> String {
    given.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{place}"))
}

/// Servers differ in what they say at a tool call; that there is one decides.
pub(super) fn settle(mut completion: Completion) -> Completion {
    if !completion.tool_calls.is_empty() && matches!(completion.finish, Finish::Stop | Finish::Other) {
        completion.finish = Finish::ToolCalls;
    }
    completion
}

/// The rules of what an answer must hold to count as one.
pub(super) fn require_content(completion: Completion, has_content: bool) -> Result<Completion, Fault> {
    let explains_itself = matches!(completion.finish, Finish::Length | Finish::Refusal);
    if has_content || explains_itself || !completion.tool_calls.is_empty() {
        Ok(settle(completion))
    } else {
        Err(Fault::garbage("the answer has no content at all"))
    }
}

/// An error that came although the status said success.
pub(super) fn refuse_error(error: Option<Value>) -> Result<(), Fault> {
    match error {
        None | Some(Value::Null) => Ok(()),
        Some(error) => Err(Fault::from_error(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_are_addresses_or_base64() {
        assert!(matches!(image("https://a.example/x.png"), Ok(Image::Url("https://a.example/x.png"))));
        assert!(matches!(
            image("data:image/png;base64,QUJD"),
            Ok(Image::Data { media_type: "image/png", base64: "QUJD" })
        ));
        for wrong in ["data:image/png,QUJD", "data:text/plain;base64,QUJD", "x.png", "file:///etc/passwd", "data:"] {
            assert!(image(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arguments_are_an_object_or_the_text_as_it_came() {
        for (given, expected) in [
            (json!("{\"a\": 1}"), json!({"a": 1})),
            (json!({"a": 1}), json!({"a": 1})),
            (json!("{broken"), json!("{broken")),
            (json!("5"), json!("5")),
            (json!(""), json!({})),
            (json!(null), json!({})),
        ] {
            assert_eq!(arguments(given), expected);
        }
    }
}
