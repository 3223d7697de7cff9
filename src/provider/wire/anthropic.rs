//! Anthropic's messages.

use serde::Deserialize;
use serde_json::Value;

use super::dialect::{
    Assemble, Decoded, Image, Inexpressible, Progress, arguments, call_id, check, event, image, only_text,
    refuse_error, require_content,
};
use super::fault::{Fault, Received};
use super::json::{Json, Object};
use crate::call::{Completion, Content, Finish, Message, Part, Request, Role, ToolCall, ToolChoice, Usage};

/// The version of the API that is spoken here.
pub(super) const VERSION: &str = "2023-06-01";

/// The vendor wants to be told; what is not said elsewhere is this.
const MAX_TOKENS: u64 = 4096;

/// The body of a request.
pub(super) fn body(request: &Request, stream: bool) -> Result<Object<'_>, Inexpressible> {
    check(request)?;
    let params = &request.params;
    if params.logprobs.is_some() {
        return Err("Anthropic gives no log probabilities; leave `params.logprobs` out".to_owned());
    }
    if params.seed.is_some() {
        return Err("Anthropic has no seed; leave `params.seed` out".to_owned());
    }
    let systems = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (system, turns) = request.messages.split_at(systems);
    let mut body =
        Object::new().with("model", &request.model).with("max_tokens", params.max_tokens.unwrap_or(MAX_TOKENS));
    match system {
        [] => {}
        [one] => body.put("system", only_text(one).into_owned()),
        several => {
            body.put(
                "system",
                several.iter().map(|turn| only_text(turn).into_owned()).collect::<Vec<_>>().join("\n\n"),
            );
        }
    }
    body.put("messages", conversation(turns)?);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let tool = Object::new()
                .with("name", &tool.name)
                .maybe("description", tool.description.as_deref())
                .with("input_schema", &tool.parameters);
            Json::from(tool)
        });
        body.put("tools", tools.collect::<Vec<_>>());
    }
    if let Some(choice) = &request.tool_choice {
        let (kind, name) = match choice {
            ToolChoice::Auto => ("auto", None),
            ToolChoice::None => ("none", None),
            ToolChoice::Required => ("any", None),
            ToolChoice::Named { name } => ("tool", Some(name)),
        };
        body.put("tool_choice", Object::new().with("type", kind).maybe("name", name));
    }
    let mut output = Object::new();
    if let Some(effort) = &params.reasoning_effort {
        match effort.parse::<u64>() {
            // Older models take a number of tokens.
            Ok(tokens) => body.put("thinking", Object::new().with("type", "enabled").with("budget_tokens", tokens)),
            Err(_) => output.put("effort", effort),
        }
    }
    if let Some(schema) = &request.schema {
        output.put("format", Object::new().with("type", "json_schema").with("schema", &schema.schema));
    }
    body.put_filled("output_config", output);
    body = body
        .maybe("temperature", params.temperature)
        .maybe("top_p", params.top_p)
        .maybe("stop_sequences", (!params.stop.is_empty()).then_some(params.stop.as_slice()))
        .maybe("stream", stream.then_some(true));
    body.merge(&params.extra);
    Ok(body)
}

fn conversation(turns: &[Message]) -> Result<Json<'_>, Inexpressible> {
    if turns.is_empty() {
        return Err("Anthropic wants a turn of the user; there is only the system's".to_owned());
    }
    let mut said: Vec<Json<'_>> = Vec::with_capacity(turns.len());
    let mut rest = turns;
    while let Some(turn) = rest.first() {
        let mut used = 1;
        let object = Object::new();
        said.push(Json::from(match turn.role {
            Role::System => return Err("Anthropic takes the system's turns only at the beginning".to_owned()),
            Role::User => object.with("role", "user").with("content", content(&turn.content)?),
            Role::Assistant if turn.tool_calls.is_empty() => {
                object.with("role", "assistant").with("content", content(&turn.content)?)
            }
            Role::Assistant => object.with("role", "assistant").with("content", calls(turn)?),
            // All results of one turn's calls belong into one turn.
            Role::Tool => {
                used = rest.iter().take_while(|turn| turn.role == Role::Tool).count();
                let results = rest[..used].iter().map(|turn| {
                    let result = Object::new()
                        .with("type", "tool_result")
                        .maybe("tool_use_id", turn.tool_call_id.as_deref())
                        .with("content", only_text(turn).into_owned());
                    Json::from(result)
                });
                object.with("role", "user").with("content", results.collect::<Vec<_>>())
            }
        }));
        rest = &rest[used..];
    }
    Ok(Json::List(said))
}

/// The text and the calls of an assistant's turn. An empty text would be refused.
fn calls(turn: &Message) -> Result<Json<'_>, Inexpressible> {
    let mut blocks = match content(&turn.content)? {
        Json::Text("") => Vec::new(),
        Json::List(blocks) => blocks,
        text => vec![Json::from(Object::new().with("type", "text").with("text", text))],
    };
    for call in &turn.tool_calls {
        let block = Object::new().with("type", "tool_use").with("id", &call.id).with("name", &call.name);
        let block = match &call.arguments {
            input @ Value::Object(_) => block.with("input", input),
            _ => return Err(format!("the arguments of the call `{}` are no object", call.id)),
        };
        blocks.push(block.into());
    }
    Ok(Json::List(blocks))
}

fn content<'a>(content: &'a Content) -> Result<Json<'a>, Inexpressible> {
    let parts = match content {
        Content::Text(text) => return Ok(text.into()),
        Content::Parts(parts) => parts,
    };
    let part = |part: &'a Part| match part {
        Part::Text { text } => Ok(Json::from(Object::new().with("type", "text").with("text", text))),
        Part::Image { url } => {
            let source = match image(url)? {
                Image::Url(url) => Object::new().with("type", "url").with("url", url),
                Image::Data { media_type, base64 } => {
                    Object::new().with("type", "base64").with("media_type", media_type).with("data", base64)
                }
            };
            Ok(Object::new().with("type", "image").with("source", source).into())
        }
    };
    Ok(Json::List(parts.iter().map(part).collect::<Result<_, Inexpressible>>()?))
}

#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    model: Option<String>,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    usage: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: Option<String>,
        name: String,
        #[serde(default)]
        input: Value,
    },
    /// Thinking, and what the vendor may add.
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the vendor's names")]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

impl Counts {
    /// Anthropic's counts do not overlap as they are.
    fn usage(self) -> Option<Usage> {
        self.input_tokens.or(self.output_tokens)?;
        Some(Usage {
            input_tokens: self.input_tokens.unwrap_or_default(),
            output_tokens: self.output_tokens.unwrap_or_default(),
            cache_read_tokens: self.cache_read_input_tokens.unwrap_or_default(),
            cache_write_tokens: self.cache_creation_input_tokens.unwrap_or_default(),
        })
    }

    /// Later counts of a stream hold for all of it.
    fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.cache_creation_input_tokens = later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
    }
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("end_turn" | "stop_sequence") => Finish::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
        Some("tool_use") => Finish::ToolCalls,
        Some("refusal") => Finish::Refusal,
        _ => Finish::Other,
    }
}

/// Reads a whole answer.
pub(super) fn read(received: &Received) -> Result<Decoded, Fault> {
    let answer: Answer = received.json()?;
    refuse_error(answer.error)?;
    let blocks = answer.content.unwrap_or_default();
    let assembly = Assembly {
        id: answer.id,
        model: answer.model,
        blocks: blocks.into_iter().map(|block| (block, String::new())).collect(),
        stop_reason: answer.stop_reason,
        usage: answer.usage.unwrap_or_default(),
    };
    assembly.decode().map_err(|fault| fault.saying_if_silent(&received.body))
}

/// An answer as it comes together.
#[derive(Default)]
pub(super) struct Assembly {
    id: Option<String>,
    model: Option<String>,
    /// Each with the arguments of a call as far as they were streamed.
    blocks: Vec<(Block, String)>,
    stop_reason: Option<String>,
    usage: Counts,
}

impl Assembly {
    fn decode(self) -> Result<Decoded, Fault> {
        let (mut text, mut tool_calls, mut has_content) = (String::new(), Vec::new(), false);
        for (block, streamed) in self.blocks {
            match block {
                Block::Text { text: more } => {
                    has_content = true;
                    text.push_str(&more);
                }
                Block::ToolUse { id, name, input } => {
                    let given = if streamed.is_empty() { input } else { Value::String(streamed) };
                    let id = call_id(id, tool_calls.len());
                    tool_calls.push(ToolCall { id, name, arguments: arguments(given), signature: None });
                }
                Block::Other => {}
            }
        }
        let finish = finish(self.stop_reason.as_deref());
        let Self { model, id, .. } = self;
        let completion = Completion { text, tool_calls, finish, model, id, ..Completion::default() };
        Ok(Decoded { completion: require_content(completion, has_content)?, usage: self.usage.usage() })
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Answer,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta,
    },
    MessageDelta {
        delta: Ending,
        usage: Option<Counts>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// Pings, ends of blocks, and what the vendor may add.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Arguments { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking {},
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
}

impl Assemble for Assembly {
    fn take(&mut self, data: &str) -> Result<Progress, Fault> {
        match event::<Event>(data)? {
            Event::MessageStart { message } => {
                (self.id, self.model) = (message.id, message.model);
                self.usage.update(message.usage.unwrap_or_default());
            }
            Event::ContentBlockStart { index, content_block } => {
                if index != self.blocks.len() {
                    return Err(Fault::garbage("a block of the stream is missing").saying(data.as_bytes()));
                }
                let is_call = matches!(content_block, Block::ToolUse { .. });
                self.blocks.push((content_block, String::new()));
                return Ok(if is_call { Progress::Token } else { Progress::Nothing });
            }
            Event::ContentBlockDelta { index, delta } => {
                let block = self.blocks.get_mut(index);
                let (block, streamed) = block
                    .ok_or_else(|| Fault::garbage("a part of a block that was not begun").saying(data.as_bytes()))?;
                match (delta, block) {
                    (Delta::Text { text: more }, Block::Text { text }) => text.push_str(&more),
                    (Delta::Arguments { partial_json }, _) => streamed.push_str(&partial_json),
                    (Delta::Thinking {}, _) => {}
                    _ => return Ok(Progress::Nothing),
                }
                return Ok(Progress::Token);
            }
            Event::MessageDelta { delta, usage } => {
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                self.usage.update(usage.unwrap_or_default());
            }
            Event::MessageStop => return Ok(Progress::End),
            Event::Error { error } => return Err(Fault::from_error(&error)),
            Event::Other => {}
        }
        Ok(Progress::Nothing)
    }

    fn finish(self: Box<Self>) -> Result<Decoded, Fault> {
        self.decode()
    }
}
