//! OpenAI's chat completions, and every server that speaks them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::dialect::{
    Assemble, Decoded, Inexpressible, Progress, arguments, arguments_text, call_id, check, event, image, only_text,
    refuse_error, require_content,
};
use super::fault::{Fault, Received};
use super::json::{Json, Object};
use crate::call::{Completion, Content, Finish, Message, Part, Request, Role, ToolCall, ToolChoice, Usage};

/// The body of a request. `is_vendor`: OpenAI itself (or Azure), which wants the newer name of the longest answer; other
/// servers know the older one.
pub(super) fn body(request: &Request, stream: bool, is_vendor: bool) -> Result<Object<'_>, Inexpressible> {
    check(request)?;
    let params = &request.params;
    let messages = request.messages.iter().map(message).collect::<Result<Vec<_>, _>>()?;
    let mut body = Object::new().with("model", &request.model).with("messages", messages);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function = Object::new()
                .with("name", &tool.name)
                .maybe("description", tool.description.as_deref())
                .with("parameters", &tool.parameters);
            Json::from(Object::new().with("type", "function").with("function", function))
        });
        body.put("tools", tools.collect::<Vec<_>>());
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => body.put("tool_choice", "auto"),
        Some(ToolChoice::None) => body.put("tool_choice", "none"),
        Some(ToolChoice::Required) => body.put("tool_choice", "required"),
        Some(ToolChoice::Named { name }) => {
            let named = Object::new().with("type", "function").with("function", Object::new().with("name", name));
            body.put("tool_choice", named);
        }
    }
    if let Some(schema) = &request.schema {
        let named = Object::new().with("name", &schema.name).with("schema", &schema.schema).with("strict", true);
        body.put("response_format", Object::new().with("type", "json_schema").with("json_schema", named));
    }
    let longest = if is_vendor { "max_completion_tokens" } else { "max_tokens" };
    body = body
        .maybe("temperature", params.temperature)
        .maybe("top_p", params.top_p)
        .maybe(longest, params.max_tokens)
        .maybe("stop", (!params.stop.is_empty()).then_some(params.stop.as_slice()))
        .maybe("seed", params.seed)
        .maybe("logprobs", params.logprobs.map(|_| true))
        .maybe("top_logprobs", params.logprobs.filter(|count| *count > 0).map(u64::from))
        .maybe("reasoning_effort", params.reasoning_effort.as_deref());
    if stream {
        body.put("stream", true);
        body.put("stream_options", Object::new().with("include_usage", true));
    }
    body.merge(&params.extra);
    Ok(body)
}

fn message(message: &Message) -> Result<Json<'_>, Inexpressible> {
    let turn = Object::new();
    Ok(Json::from(match message.role {
        Role::System => turn.with("role", "system").with("content", content(&message.content)?),
        Role::User => turn.with("role", "user").with("content", content(&message.content)?),
        Role::Tool => {
            let text = only_text(message).into_owned();
            turn.with("role", "tool").maybe("tool_call_id", message.tool_call_id.as_deref()).with("content", text)
        }
        Role::Assistant => {
            let mut turn = turn.with("role", "assistant").with("content", content(&message.content)?);
            if !message.tool_calls.is_empty() {
                let calls = message.tool_calls.iter().map(|call| {
                    let function = Object::new().with("name", &call.name).with("arguments", arguments_text(call));
                    Json::from(Object::new().with("id", &call.id).with("type", "function").with("function", function))
                });
                turn.put("tool_calls", calls.collect::<Vec<_>>());
            }
            turn
        }
    }))
}

fn content<'a>(content: &'a Content) -> Result<Json<'a>, Inexpressible> {
    let parts = match content {
        Content::Text(text) => return Ok(text.into()),
        Content::Parts(parts) => parts,
    };
    let part = |part: &'a Part| match part {
        Part::Text { text } => Ok(Json::from(Object::new().with("type", "text").with("text", text))),
        Part::Image { url } => {
            image(url)?;
            Ok(Object::new().with("type", "image_url").with("image_url", Object::new().with("url", url)).into())
        }
    };
    Ok(Json::List(parts.iter().map(part).collect::<Result<_, Inexpressible>>()?))
}

#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Counts>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    message: Option<Said>,
    /// In a stream: what is new.
    delta: Option<Said>,
    finish_reason: Option<String>,
    logprobs: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Said {
    content: Option<Words>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Called>>,
    /// Thinking, as several servers show it under either name. Its first piece is the first token; it is no part of the
    /// answer.
    reasoning_content: Option<Value>,
    reasoning: Option<Value>,
}

/// Some servers give the text in parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    Parts(Vec<Value>),
}

impl Words {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Called {
    index: Option<usize>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the vendor's names")]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_creation_tokens: Option<u64>,
}

impl Counts {
    /// OpenAI counts cached tokens among those of the prompt.
    pub(super) fn usage(self) -> Option<Usage> {
        let details = self.prompt_tokens_details.unwrap_or_default();
        let written = self.completion_tokens.unwrap_or_default();
        let prompt = self.prompt_tokens.or_else(|| Some(self.total_tokens?.saturating_sub(written)))?;
        let read = details.cached_tokens.or(self.prompt_cache_hit_tokens).unwrap_or_default();
        let write = details.cache_write_tokens.or(details.cache_creation_tokens).unwrap_or_default();
        Some(Usage {
            input_tokens: prompt.saturating_sub(read).saturating_sub(write),
            output_tokens: written,
            cache_read_tokens: read,
            cache_write_tokens: write,
        })
    }
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("stop" | "eos" | "end_turn" | "stop_sequence") => Finish::Stop,
        Some("length" | "max_tokens" | "model_length") => Finish::Length,
        Some("tool_calls" | "function_call" | "tool_use") => Finish::ToolCalls,
        Some("content_filter" | "refusal") => Finish::Refusal,
        _ => Finish::Other,
    }
}

/// Reads a whole answer.
pub(super) fn read(received: &Received) -> Result<Decoded, Fault> {
    let answer: Answer = received.json()?;
    refuse_error(answer.error)?;
    let choice = answer.choices.and_then(|choices| choices.into_iter().next());
    let choice = choice.ok_or_else(|| Fault::garbage("the answer has no choices").saying(&received.body))?;
    let mut assembly = Assembly { id: answer.id, model: answer.model, usage: answer.usage, ..Assembly::default() };
    // Calls of a whole answer have no index, or not always the right one: each stands for itself.
    let mut choice = choice;
    for (place, call) in choice.message.iter_mut().filter_map(|said| said.tool_calls.as_mut()).flatten().enumerate() {
        call.index = Some(place);
    }
    assembly.logprobs = choice.logprobs.take().filter(|logprobs| !logprobs.is_null());
    assembly.add(choice);
    assembly.decode().map_err(|fault| fault.saying_if_silent(&received.body))
}

/// An answer as it comes together.
#[derive(Default)]
pub(super) struct Assembly {
    id: Option<String>,
    model: Option<String>,
    has_choice: bool,
    text: Option<String>,
    refusal: String,
    calls: Vec<(usize, Option<String>, String, Value)>,
    finish_reason: Option<String>,
    logprobs: Option<Value>,
    usage: Option<Counts>,
}

impl Assembly {
    /// Adds what is new; whether anything of the answer was.
    fn add(&mut self, choice: Choice) -> bool {
        self.has_choice = true;
        let said = choice.message.or(choice.delta).unwrap_or_default();
        let thought = said.reasoning_content.or(said.reasoning);
        let mut is_token = thought.is_some_and(|thought| !thought.is_null() && thought != "");
        if let Some(words) = said.content {
            let words = words.into_text();
            is_token |= !words.is_empty();
            match &mut self.text {
                Some(text) => text.push_str(&words),
                None => self.text = Some(words),
            }
        }
        if let Some(refusal) = said.refusal {
            is_token |= !refusal.is_empty();
            self.refusal.push_str(&refusal);
        }
        for call in said.tool_calls.unwrap_or_default() {
            is_token = true;
            self.add_call(call);
        }
        if let Some(Value::Object(mut more)) = choice.logprobs
            && let Some(Value::Array(more)) = more.remove("content")
        {
            match self.logprobs.as_mut().and_then(|all| all["content"].as_array_mut()) {
                Some(all) => all.extend(more),
                None => self.logprobs = Some(json!({"content": more})),
            }
        }
        self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        is_token
    }

    fn add_call(&mut self, call: Called) {
        let id = call.id.filter(|id| !id.is_empty());
        // Without an index a new id is a new call, and everything else belongs to the last one.
        let index = call.index.unwrap_or_else(|| {
            let last = self.calls.last();
            match (&id, last) {
                (Some(id), Some((_, known, ..))) if known.as_ref() != Some(id) => self.calls.len(),
                (_, Some((index, ..))) => *index,
                (_, None) => 0,
            }
        });
        let place = self.calls.iter().position(|(known, ..)| *known == index).unwrap_or_else(|| {
            self.calls.push((index, None, String::new(), Value::Null));
            self.calls.len() - 1
        });
        let (_, known_id, name, arguments) = &mut self.calls[place];
        *known_id = id.or(known_id.take());
        let Some(function) = call.function else { return };
        if let Some(more) = function.name {
            name.push_str(&more);
        }
        match (arguments, function.arguments) {
            (_, None | Some(Value::Null)) => {}
            (Value::String(known), Some(Value::String(more))) => known.push_str(&more),
            (known, Some(more)) => *known = more,
        }
    }

    fn decode(self) -> Result<Decoded, Fault> {
        if !self.has_choice {
            return Err(Fault::garbage("the answer has no choices"));
        }
        let mut tool_calls = Vec::with_capacity(self.calls.len());
        for (place, (_, id, name, given)) in self.calls.into_iter().enumerate() {
            if name.is_empty() {
                return Err(Fault::garbage("a tool call names no tool"));
            }
            tool_calls.push(ToolCall { id: call_id(id, place), name, arguments: arguments(given), signature: None });
        }
        let has_content = self.text.is_some();
        let is_refused = !self.refusal.is_empty();
        let completion = Completion {
            signature: None,
            text: if is_refused { self.refusal } else { self.text.unwrap_or_default() },
            tool_calls,
            finish: if is_refused { Finish::Refusal } else { finish(self.finish_reason.as_deref()) },
            logprobs: self.logprobs,
            model: self.model,
            id: self.id,
        };
        Ok(Decoded { completion: require_content(completion, has_content)?, usage: self.usage.and_then(Counts::usage) })
    }
}

impl Assemble for Assembly {
    fn take(&mut self, data: &str) -> Result<Progress, Fault> {
        if data.trim() == "[DONE]" {
            return Ok(Progress::End);
        }
        let chunk: Answer = event(data)?;
        refuse_error(chunk.error)?;
        self.id = self.id.take().or(chunk.id.filter(|id| !id.is_empty()));
        self.model = self.model.take().or(chunk.model.filter(|model| !model.is_empty()));
        self.usage = chunk.usage.or(self.usage.take());
        let mut is_token = false;
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
            is_token |= self.add(choice);
        }
        Ok(if is_token { Progress::Token } else { Progress::Nothing })
    }

    fn finish(self: Box<Self>) -> Result<Decoded, Fault> {
        self.decode()
    }
}
