//! What a language model is asked, in words that no vendor owns.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One question to a language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who is asked; a name that the router knows.
    pub provider: String,
    /// The model, as the vendor calls it.
    pub model: String,
    /// The conversation so far, `system` first.
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must call something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// The JSON schema that the answer must follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<AnswerSchema>,
    /// How it is to answer.
    #[serde(default)]
    pub params: Params,
    /// Which of several equal questions this is: the trial of a candidate, a judge's own repeat. Each has an answer of its
    /// own.
    #[serde(default)]
    pub repeat: u32,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    #[serde(default)]
    pub content: Content,
    /// The calls that an assistant's turn makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The call whose result a tool's turn is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// What the vendor wants back with the text of an assistant's turn, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Message {
    /// A turn that is only text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, content: Content::Text(text.into()), tool_calls: Vec::new(), tool_call_id: None, signature: None }
    }
}

/// What a turn says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// Text alone.
    Text(String),
    /// Text and images.
    Parts(Vec<Part>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    /// All text of it, a line a part.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                let texts: Vec<&str> = parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Text { text } => Some(text.as_str()),
                        Part::Image { .. } => None,
                    })
                    .collect();
                texts.join("\n")
            }
        }
    }
}

/// A part of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// An image by reference: an address, or a `data:` URL.
    Image {
        /// Where it is.
        url: String,
    },
}

/// Something that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON schema of its arguments.
    pub parameters: Value,
}

/// Whether the model must call something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// It must not.
    None,
    /// It must call some tool.
    Required,
    /// It must call this tool.
    #[serde(untagged)]
    Named {
        /// The tool.
        name: String,
    },
}

/// A call that the model makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The vendor's id of the call; made up from its place where the vendor has none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments: an object, or the text as it came where that is no JSON.
    pub arguments: Value,
    /// What the vendor wants back with the call, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// The JSON schema of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerSchema {
    /// A name for it; vendors want one.
    pub name: String,
    /// The schema.
    pub schema: Value,
}

/// How the model is to answer. What is absent is not sent, so that the vendor's default holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Randomness of the choice of words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The share of probability that is chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The longest answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Texts at which the answer ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// The vendor's seed, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// How many alternatives of each token to report with their log probability; 0: only the chosen one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<u8>,
    /// How long to think, in the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    /// Whatever else the vendor understands; goes into the body as it is.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// One question to a model that turns text into numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedding {
    /// Who is asked; a name that the router knows.
    pub provider: String,
    /// The model, as the vendor calls it.
    pub model: String,
    /// The text.
    pub text: String,
    /// How many numbers, where the vendor lets one choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
}

/// Extra HTTP headers by name, as they stand in a config.
pub type Headers = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn turns_are_read_as_people_write_them() {
        let turns = json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image", "url": "data:,"}]},
        ]);
        let turns: Vec<Message> = serde_json::from_value(turns).unwrap();
        assert_eq!(turns[0], Message::text(Role::System, "Be brief."));
        assert_eq!(turns[1].content.to_text(), "What is this?");
        assert!(serde_json::from_value::<Message>(json!({"role": "user", "contents": "x"})).is_err());
    }

    #[test]
    fn a_tool_choice_is_a_word_or_a_name() {
        for (text, choice) in [
            (json!("auto"), ToolChoice::Auto),
            (json!("required"), ToolChoice::Required),
            (json!({"name": "page"}), ToolChoice::Named { name: "page".to_owned() }),
        ] {
            assert_eq!(serde_json::from_value::<ToolChoice>(text.clone()).unwrap(), choice);
            assert_eq!(serde_json::to_value(&choice).unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_asked_for_is_not_written() {
        assert_eq!(serde_json::to_value(Params::default()).unwrap(), json!({}));
    }
}
