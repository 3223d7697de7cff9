//! OpenAI's responses.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::dialect::{
    Assemble, Decoded, Inexpressible, Progress, arguments, arguments_text, call_id, check, event, image, only_text,
    refuse_error, require_content,
};
use super::fault::{Fault, Received};
use super::json::{Json, Object};
use crate::call::{Completion, Content, Finish, Message, Part, Request, Role, ToolCall, ToolChoice, Usage};

/// The body of a request.
pub(super) fn body(request: &Request, stream: bool) -> Result<Object<'_>, Inexpressible> {
    check(request)?;
    let params = &request.params;
    if params.seed.is_some() {
        return Err("OpenAI's responses have no seed; leave `params.seed` out, or use `openai`".to_owned());
    }
    if !params.stop.is_empty() {
        return Err("OpenAI's responses have no stop texts; leave `params.stop` out, or use `openai`".to_owned());
    }
    let mut items = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        add_items(message, &mut items)?;
    }
    // Nothing is kept at the vendor.
    let mut body = Object::new().with("model", &request.model).with("input", items).with("store", false);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let tool = Object::new()
                .with("type", "function")
                .with("name", &tool.name)
                .maybe("description", tool.description.as_deref())
                .with("parameters", &tool.parameters)
                // The default here would make every argument a required one.
                .with("strict", false);
            Json::from(tool)
        });
        body.put("tools", tools.collect::<Vec<_>>());
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => body.put("tool_choice", "auto"),
        Some(ToolChoice::None) => body.put("tool_choice", "none"),
        Some(ToolChoice::Required) => body.put("tool_choice", "required"),
        Some(ToolChoice::Named { name }) => {
            body.put("tool_choice", Object::new().with("type", "function").with("name", name));
        }
    }
    if let Some(schema) = &request.schema {
        let format = Object::new()
            .with("type", "json_schema")
            .with("name", &schema.name)
            .with("schema", &schema.schema)
            .with("strict", true);
        body.put("text", Object::new().with("format", format));
    }
    body = body
        .maybe("temperature", params.temperature)
        .maybe("top_p", params.top_p)
        .maybe("max_output_tokens", params.max_tokens)
        .maybe("reasoning", params.reasoning_effort.as_ref().map(|effort| Object::new().with("effort", effort)));
    if let Some(count) = params.logprobs {
        body.put("include", vec![Json::Text("message.output_text.logprobs")]);
        body.put("top_logprobs", u64::from(count));
    }
    if stream {
        body.put("stream", true);
    }
    body.merge(&params.extra);
    Ok(body)
}

fn add_items<'a>(message: &'a Message, items: &mut Vec<Json<'a>>) -> Result<(), Inexpressible> {
    let item = Object::new();
    match message.role {
        Role::System => items.push(item.with("role", "system").with("content", content(&message.content)?).into()),
        Role::User => items.push(item.with("role", "user").with("content", content(&message.content)?).into()),
        Role::Tool => {
            let item = item
                .with("type", "function_call_output")
                .maybe("call_id", message.tool_call_id.as_deref())
                .with("output", only_text(message).into_owned());
            items.push(item.into());
        }
        Role::Assistant => {
            let text = only_text(message);
            if !text.is_empty() || message.tool_calls.is_empty() {
                items.push(item.with("role", "assistant").with("content", text.into_owned()).into());
            }
            items.extend(message.tool_calls.iter().map(|call| {
                let item = Object::new()
                    .with("type", "function_call")
                    .with("call_id", &call.id)
                    .with("name", &call.name)
                    .with("arguments", arguments_text(call));
                Json::from(item)
            }));
        }
    }
    Ok(())
}

fn content<'a>(content: &'a Content) -> Result<Json<'a>, Inexpressible> {
    let parts = match content {
        Content::Text(text) => return Ok(text.into()),
        Content::Parts(parts) => parts,
    };
    let part = |part: &'a Part| match part {
        Part::Text { text } => Ok(Json::from(Object::new().with("type", "input_text").with("text", text))),
        Part::Image { url } => {
            image(url)?;
            Ok(Object::new().with("type", "input_image").with("image_url", url).into())
        }
    };
    Ok(Json::List(parts.iter().map(part).collect::<Result<_, Inexpressible>>()?))
}

#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    incomplete_details: Option<Incomplete>,
    output: Option<Vec<Item>>,
    usage: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    Message {
        #[serde(default)]
        content: Vec<Piece>,
    },
    FunctionCall {
        call_id: Option<String>,
        name: String,
        #[serde(default)]
        arguments: Value,
    },
    /// Reasoning, and what the vendor may add.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece {
    OutputText {
        text: String,
        logprobs: Option<Vec<Value>>,
    },
    Refusal {
        refusal: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    input_tokens_details: Option<InputDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

impl From<Counts> for Usage {
    fn from(tokens: Counts) -> Self {
        let details = tokens.input_tokens_details.unwrap_or_default();
        let (read, write) = (details.cached_tokens.unwrap_or_default(), details.cache_write_tokens.unwrap_or_default());
        Self {
            input_tokens: tokens.input_tokens.saturating_sub(read).saturating_sub(write),
            output_tokens: tokens.output_tokens,
            cache_read_tokens: read,
            cache_write_tokens: write,
        }
    }
}

/// Reads a whole answer.
pub(super) fn read(received: &Received) -> Result<Decoded, Fault> {
    decode(received.json()?).map_err(|fault| fault.saying_if_silent(&received.body))
}

fn decode(answer: Answer) -> Result<Decoded, Fault> {
    refuse_error(answer.error)?;
    let reason = answer.incomplete_details.and_then(|details| details.reason);
    let mut finish = match (answer.status.as_deref(), reason.as_deref()) {
        (_, Some("max_output_tokens")) => Finish::Length,
        (_, Some("content_filter")) => Finish::Refusal,
        (Some("completed"), _) => Finish::Stop,
        (Some("failed" | "cancelled" | "in_progress" | "queued"), _) => {
            return Err(Fault::garbage("the answer is not complete"));
        }
        _ => Finish::Other,
    };
    let (mut text, mut refusal, mut has_content) = (String::new(), String::new(), false);
    let (mut tool_calls, mut logprobs) = (Vec::new(), Vec::new());
    for item in answer.output.unwrap_or_default() {
        match item {
            Item::Message { content } => {
                for piece in content {
                    match piece {
                        Piece::OutputText { text: more, logprobs: of_text } => {
                            has_content = true;
                            text.push_str(&more);
                            logprobs.extend(of_text.unwrap_or_default());
                        }
                        Piece::Refusal { refusal: more } => refusal.push_str(&more),
                        Piece::Other => {}
                    }
                }
            }
            Item::FunctionCall { call_id: id, name, arguments: given } => {
                let id = call_id(id, tool_calls.len());
                tool_calls.push(ToolCall { id, name, arguments: arguments(given), signature: None });
            }
            Item::Other => {}
        }
    }
    if !refusal.is_empty() {
        (text, finish) = (refusal, Finish::Refusal);
    }
    let completion = Completion {
        signature: None,
        text,
        tool_calls,
        finish,
        logprobs: (!logprobs.is_empty()).then_some(Value::Array(logprobs)),
        model: answer.model,
        id: answer.id,
    };
    Ok(Decoded { completion: require_content(completion, has_content)?, usage: answer.usage.map(Usage::from) })
}

/// The last event of a stream holds the whole answer.
#[derive(Default)]
pub(super) struct Assembly(Option<Answer>);

#[derive(Deserialize)]
struct Kind<'d> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'d, str>,
}

#[derive(Deserialize)]
struct Last {
    response: Option<Answer>,
}

impl Assemble for Assembly {
    fn take(&mut self, data: &str) -> Result<Progress, Fault> {
        let kind = event::<Kind<'_>>(data)?.kind;
        match kind.as_ref() {
            "error" => Err(Fault::from_error(&event::<Value>(data)?)),
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.0 = event::<Last>(data)?.response;
                Ok(Progress::End)
            }
            kind => Ok(match kind.rsplit_once('.') {
                Some((_, "delta")) => Progress::Token,
                _ => Progress::Nothing,
            }),
        }
    }

    fn finish(self: Box<Self>) -> Result<Decoded, Fault> {
        decode(self.0.ok_or_else(|| Fault::garbage("the last event holds no answer"))?)
    }
}
