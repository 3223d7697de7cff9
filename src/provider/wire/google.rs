//! Google's generateContent.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::dialect::{
    Assemble, Decoded, Image, Inexpressible, Progress, arguments, call_id, check, event, image, only_text,
    refuse_error, require_content,
};
use super::fault::{Fault, Received};
use super::json::{Json, Object};
use crate::call::{Completion, Content, Finish, Message, Part, Request, Role, ToolCall, ToolChoice, Usage};

/// The path of a model below the base address.
pub(super) fn model_path(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

/// The body of a request.
pub(super) fn body(request: &Request) -> Result<Object<'_>, Inexpressible> {
    check(request)?;
    let systems = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (system, turns) = request.messages.split_at(systems);
    let mut body = Object::new();
    if !system.is_empty() {
        let parts = system.iter().map(|turn| Json::from(Object::new().with("text", only_text(turn).into_owned())));
        body.put("systemInstruction", Object::new().with("parts", parts.collect::<Vec<_>>()));
    }
    body.put("contents", conversation(turns)?);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let tool = Object::new()
                .with("name", &tool.name)
                .maybe("description", tool.description.as_deref())
                .with("parametersJsonSchema", &tool.parameters);
            Json::from(tool)
        });
        let declared = Object::new().with("functionDeclarations", tools.collect::<Vec<_>>());
        body.put("tools", vec![Json::from(declared)]);
    }
    if let Some(choice) = &request.tool_choice {
        let (mode, name) = match choice {
            ToolChoice::Auto => ("AUTO", None),
            ToolChoice::None => ("NONE", None),
            ToolChoice::Required => ("ANY", None),
            ToolChoice::Named { name } => ("ANY", Some(vec![Json::from(name)])),
        };
        let calling = Object::new().with("mode", mode).maybe("allowedFunctionNames", name);
        body.put("toolConfig", Object::new().with("functionCallingConfig", calling));
    }
    body.put_filled("generationConfig", config(request));
    body.merge(&request.params.extra);
    Ok(body)
}

fn config(request: &Request) -> Object<'_> {
    let params = &request.params;
    let mut config = Object::new()
        .maybe("temperature", params.temperature)
        .maybe("topP", params.top_p)
        .maybe("maxOutputTokens", params.max_tokens)
        .maybe("stopSequences", (!params.stop.is_empty()).then_some(params.stop.as_slice()))
        .maybe("seed", params.seed)
        .maybe("responseLogprobs", params.logprobs.map(|_| true))
        .maybe("logprobs", params.logprobs.filter(|count| *count > 0).map(u64::from));
    if let Some(schema) = &request.schema {
        config.put("responseMimeType", "application/json");
        config.put("responseJsonSchema", &schema.schema);
    }
    if let Some(effort) = &params.reasoning_effort {
        // Older models take a number of tokens, newer ones a word.
        let thinking = match effort.parse::<i64>() {
            Ok(tokens) => Object::new().with("thinkingBudget", tokens),
            Err(_) => Object::new().with("thinkingLevel", effort),
        };
        config.put("thinkingConfig", thinking);
    }
    config
}

fn conversation(turns: &[Message]) -> Result<Json<'_>, Inexpressible> {
    if turns.is_empty() {
        return Err("Google wants a turn of the user; there is only the system's".to_owned());
    }
    let mut said: Vec<Json<'_>> = Vec::with_capacity(turns.len());
    let mut rest = turns;
    while let Some(turn) = rest.first() {
        let mut used = 1;
        let (role, parts) = match turn.role {
            Role::System => return Err("Google takes the system's turns only at the beginning".to_owned()),
            Role::User => ("user", parts(&turn.content)?),
            Role::Assistant => ("model", assistant(turn)?),
            Role::Tool => {
                used = rest.iter().take_while(|turn| turn.role == Role::Tool).count();
                ("user", rest[..used].iter().map(|turn| result(turn, turns)).collect::<Result<_, _>>()?)
            }
        };
        said.push(Object::new().with("role", role).with("parts", parts).into());
        rest = &rest[used..];
    }
    Ok(Json::List(said))
}

fn assistant(turn: &Message) -> Result<Vec<Json<'_>>, Inexpressible> {
    let is_empty = matches!(&turn.content, Content::Text(text) if text.is_empty());
    let mut parts = match (&turn.content, &turn.signature) {
        // The signature goes back beside the text that it came with.
        (Content::Text(text), Some(signature)) => {
            vec![Object::new().with("text", text).with("thoughtSignature", signature).into()]
        }
        _ if is_empty && !turn.tool_calls.is_empty() => Vec::new(),
        _ => parts(&turn.content)?,
    };
    for call in &turn.tool_calls {
        if !call.arguments.is_object() {
            return Err(format!("the arguments of the call `{}` are no object", call.id));
        }
        let function =
            Object::new().maybe("id", real_id(&call.id)).with("name", &call.name).with("args", &call.arguments);
        let part = Object::new().with("functionCall", function);
        // Without it newer models refuse the next turn.
        parts.push(part.maybe("thoughtSignature", call.signature.as_deref()).into());
    }
    Ok(parts)
}

/// The result of a call, which Google wants by the name of the tool.
fn result<'a>(turn: &'a Message, turns: &'a [Message]) -> Result<Json<'a>, Inexpressible> {
    let id = turn.tool_call_id.as_deref().unwrap_or_default();
    let call = turns.iter().flat_map(|turn| &turn.tool_calls).rfind(|call| call.id == id);
    let call = call.ok_or_else(|| format!("there is no call `{id}` before its result"))?;
    let text = only_text(turn).into_owned();
    let response = Object::new().with("result", text);
    let result = Object::new().maybe("id", real_id(id)).with("name", &call.name).with("response", response);
    Ok(Object::new().with("functionResponse", result).into())
}

/// An id that came from Google; ours are made up from the place.
fn real_id(id: &str) -> Option<&str> {
    let is_ours = id.strip_prefix("call_").is_some_and(|place| place.len() < 4 && place.parse::<u16>().is_ok());
    (!is_ours).then_some(id)
}

fn parts<'a>(content: &'a Content) -> Result<Vec<Json<'a>>, Inexpressible> {
    let parts = match content {
        Content::Text(text) => return Ok(vec![Object::new().with("text", text).into()]),
        Content::Parts(parts) => parts,
    };
    let part = |part: &'a Part| {
        Ok(Json::from(match part {
            Part::Text { text } => Object::new().with("text", text),
            Part::Image { url } => match image(url)? {
                Image::Url(url) => {
                    let file = Object::new().maybe("mimeType", media_type(url)).with("fileUri", url);
                    Object::new().with("fileData", file)
                }
                Image::Data { media_type, base64 } => {
                    Object::new().with("inlineData", Object::new().with("mimeType", media_type).with("data", base64))
                }
            },
        }))
    };
    parts.iter().map(part).collect()
}

/// What an address says about its image.
fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
    Some(match path.rsplit_once('.')?.1 {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Counts>,
    model_version: Option<String>,
    response_id: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Said>,
    finish_reason: Option<String>,
    finish_message: Option<String>,
    logprobs_result: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    parts: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    text: Option<String>,
    thought: Option<bool>,
    thought_signature: Option<String>,
    function_call: Option<Called>,
}

#[derive(Deserialize)]
struct Called {
    id: Option<String>,
    name: String,
    #[serde(default)]
    args: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
    block_reason_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the vendor's names")]
struct Counts {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
}

impl Counts {
    /// Cached tokens are among those of the prompt; thoughts are not among those of the candidates.
    fn usage(self) -> Option<Usage> {
        let cached = self.cached_content_token_count.unwrap_or_default();
        let input = self.prompt_token_count?.saturating_sub(cached);
        Some(Usage {
            input_tokens: input + self.tool_use_prompt_token_count.unwrap_or_default(),
            output_tokens: self.candidates_token_count.unwrap_or_default()
                + self.thoughts_token_count.unwrap_or_default(),
            cache_read_tokens: cached,
            cache_write_tokens: 0,
        })
    }
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("STOP") => Finish::Stop,
        Some("MAX_TOKENS") => Finish::Length,
        Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY") => Finish::Refusal,
        _ => Finish::Other,
    }
}

/// Reads a whole answer.
pub(super) fn read(received: &Received) -> Result<Decoded, Fault> {
    let mut assembly = Assembly::default();
    assembly.add(received.json()?)?;
    assembly.decode().map_err(|fault| fault.saying_if_silent(&received.body))
}

/// An answer as it comes together.
#[derive(Default)]
pub(super) struct Assembly {
    model: Option<String>,
    id: Option<String>,
    has_candidate: bool,
    text: Option<String>,
    /// The last one that came with text.
    signature: Option<String>,
    tool_calls: Vec<ToolCall>,
    finish_reason: Option<String>,
    finish_message: Option<String>,
    blocked: Option<String>,
    logprobs: Vec<Map<String, Value>>,
    usage: Option<Counts>,
}

impl Assembly {
    /// Adds what is new; whether anything of the answer was.
    fn add(&mut self, answer: Answer) -> Result<bool, Fault> {
        refuse_error(answer.error)?;
        self.model = answer.model_version.or(self.model.take());
        self.id = answer.response_id.or(self.id.take());
        self.usage = answer.usage_metadata.or(self.usage.take());
        if let Some(feedback) = answer.prompt_feedback
            && let Some(reason) = feedback.block_reason
        {
            self.blocked = Some(feedback.block_reason_message.unwrap_or_else(|| format!("blocked: {reason}")));
        }
        let Some(candidate) = answer.candidates.and_then(|candidates| candidates.into_iter().next()) else {
            return Ok(false);
        };
        self.has_candidate = true;
        let mut is_token = false;
        for piece in candidate.content.and_then(|said| said.parts).unwrap_or_default() {
            is_token = true;
            if piece.thought == Some(true) {
                continue;
            }
            if let Some(more) = piece.text {
                self.text.get_or_insert_default().push_str(&more);
            }
            if let Some(call) = piece.function_call {
                let id = call_id(call.id, self.tool_calls.len());
                let (name, arguments) = (call.name, arguments(call.args));
                self.tool_calls.push(ToolCall { id, name, arguments, signature: piece.thought_signature });
            } else {
                self.signature = piece.thought_signature.or(self.signature.take());
            }
        }
        self.finish_reason = candidate.finish_reason.or(self.finish_reason.take());
        self.finish_message = candidate.finish_message.or(self.finish_message.take());
        if let Some(Value::Object(logprobs)) = candidate.logprobs_result {
            self.logprobs.push(logprobs);
        }
        Ok(is_token)
    }

    fn decode(self) -> Result<Decoded, Fault> {
        if !self.has_candidate && self.blocked.is_none() {
            return Err(Fault::garbage("the answer has no candidates"));
        }
        let has_content = self.text.is_some();
        let mut finish = finish(self.finish_reason.as_deref());
        if self.blocked.is_some() {
            finish = Finish::Refusal;
        }
        let text = match (self.text, self.blocked.or(self.finish_message)) {
            (Some(text), _) => text,
            (None, Some(why)) if finish == Finish::Refusal => why,
            (None, _) => String::new(),
        };
        let completion = Completion {
            text,
            tool_calls: self.tool_calls,
            signature: self.signature,
            finish,
            logprobs: one_of(self.logprobs),
            model: self.model,
            id: self.id,
        };
        Ok(Decoded { completion: require_content(completion, has_content)?, usage: self.usage.and_then(Counts::usage) })
    }
}

/// The pieces of a stream's log probabilities as one: their lists one after the other.
fn one_of(pieces: Vec<Map<String, Value>>) -> Option<Value> {
    let mut pieces = pieces.into_iter();
    let mut all = pieces.next()?;
    for (name, value) in pieces.flatten() {
        match (all.get_mut(&name), value) {
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (Some(known), more) if known.is_number() && more.is_number() => {
                *known = json!(known.as_f64().unwrap_or_default() + more.as_f64().unwrap_or_default());
            }
            (_, value) => drop(all.insert(name, value)),
        }
    }
    Some(Value::Object(all))
}

impl Assemble for Assembly {
    fn take(&mut self, data: &str) -> Result<Progress, Fault> {
        let is_token = self.add(event(data)?)?;
        Ok(if is_token { Progress::Token } else { Progress::Nothing })
    }

    /// Google sends no end mark, but its last event says why it is the last.
    fn may_end(&self) -> bool {
        self.finish_reason.is_some() || self.blocked.is_some()
    }

    fn finish(self: Box<Self>) -> Result<Decoded, Fault> {
        self.decode()
    }
}
