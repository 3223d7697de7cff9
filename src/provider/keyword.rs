//! Rules in a file: an honest baseline that a language model has to beat.

use std::path::Path;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::router::{Answering, Provider, ProviderError, unfit};
use crate::call::{Answered, Call, Reply};
use crate::evalset::strings_of;
use crate::table::TableError;

/// Rules in order: each one that matches fills those fields of the answer that no earlier one has filled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// The fields that no rule fills; or the whole answer, where answers are texts.
    default: Value,
    /// The rules.
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// For people.
    #[serde(default, rename = "name")]
    _name: String,
    /// One of these phrases occurs.
    #[serde(default)]
    any: Vec<String>,
    /// All of these phrases occur.
    #[serde(default)]
    all: Vec<String>,
    /// None of these phrases occurs.
    #[serde(default)]
    none: Vec<String>,
    /// What to answer.
    answer: Value,
}

impl Rule {
    fn matches(&self, text: &str) -> bool {
        (self.any.is_empty() || self.any.iter().any(|phrase| occurs(text, phrase)))
            && self.all.iter().all(|phrase| occurs(text, phrase))
            && !self.none.iter().any(|phrase| occurs(text, phrase))
    }
}

/// Whether a phrase occurs in a text (both in lower case) with no letter or digit running on at either end.
fn occurs(text: &str, phrase: &str) -> bool {
    let joins =
        |a: Option<char>, b: Option<char>| a.is_some_and(char::is_alphanumeric) && b.is_some_and(char::is_alphanumeric);
    text.match_indices(phrase).any(|(start, found)| {
        let (before, after) = (text[..start].chars().next_back(), text[start + found.len()..].chars().next());
        !joins(before, phrase.chars().next()) && !joins(phrase.chars().next_back(), after)
    })
}

/// Answers by rules.
pub(super) struct KeywordProvider {
    rules: Rules,
}

impl KeywordProvider {
    pub(super) fn load(path: &Path) -> Result<Self, ProviderError> {
        let text = std::fs::read_to_string(path).map_err(TableError::io(path))?;
        Self::parse(&text).map_err(|reason| ProviderError::Settings(format!("{}: {reason}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rules: Rules = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for (index, rule) in rules.rule.iter_mut().enumerate() {
            let phrases = || rule.any.iter().chain(&rule.all).chain(&rule.none);
            if rule.any.is_empty() && rule.all.is_empty() {
                return Err(format!("rule {}: needs `any` or `all`, else it would match everything", index + 1));
            }
            if phrases().any(|phrase| phrase.trim().is_empty()) {
                return Err(format!("rule {}: an empty phrase occurs in every text", index + 1));
            }
            if rule.answer.is_object() != rules.default.is_object() {
                return Err(format!("rule {}: its answer and `default` must both be tables, or neither", index + 1));
            }
            for list in [&mut rule.any, &mut rule.all, &mut rule.none] {
                for phrase in list.iter_mut() {
                    *phrase = phrase.to_lowercase();
                }
            }
        }
        Ok(Self { rules })
    }

    fn answer(&self, input: &Value) -> Value {
        let text = strings_of(input).to_lowercase();
        let mut matching = self.rules.rule.iter().filter(|rule| rule.matches(&text)).map(|rule| &rule.answer);
        let Value::Object(default) = &self.rules.default else {
            return matching.next().unwrap_or(&self.rules.default).clone();
        };
        let mut fields = Map::new();
        for (key, value) in matching.filter_map(Value::as_object).chain([default]).flatten() {
            if !fields.contains_key(key) {
                fields.insert(key.clone(), value.clone());
            }
        }
        // One order of fields, whichever rule filled them.
        fields.sort_keys();
        Value::Object(fields)
    }
}

impl Provider for KeywordProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        let started = Instant::now();
        let reply = Reply::Output(self.answer(&program.input["input"]));
        Box::pin(std::future::ready(Ok(Answered::live(reply, started.elapsed().as_secs_f64() * 1e3, None))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RULES: &str = r#"
        [default]
        team = "platform"
        escalate = false
        [[rule]]
        any = ["data breach"]
        answer = { escalate = true }
        [[rule]]
        any = ["Replica lag", "standby"]
        none = ["test"]
        answer = { team = "db", escalate = false }
    "#;

    #[test]
    fn earlier_rules_fill_fields_first() {
        let rules = KeywordProvider::parse(RULES).unwrap();
        assert_eq!(rules.answer(&json!("nothing")), json!({"team": "platform", "escalate": false}));
        assert_eq!(
            rules.answer(&json!({"a": "replica LAG and", "b": ["a data breach"]})),
            json!({"team": "db", "escalate": true})
        );
        assert_eq!(rules.answer(&json!("standby test"))["team"], "platform");
    }

    #[test]
    fn phrases_match_whole_words_only() {
        for (text, phrase, expected) in [
            ("the dns server", "dns", true),
            ("mdns server", "dns", false),
            ("dnssec", "dns", false),
            ("(dns)", "dns", true),
            ("at 100% of", "100%", true),
            ("über", "ber", false),
        ] {
            assert_eq!(occurs(text, phrase), expected, "{text} / {phrase}");
        }
    }

    #[test]
    fn rules_that_match_everything_are_refused() {
        for text in [
            "[default]\na=1\n[[rule]]\nanswer={a=2}",
            "[default]\na=1\n[[rule]]\nany=[\"\"]\nanswer={a=2}",
            "default=\"x\"\n[[rule]]\nany=[\"y\"]\nanswer={a=2}",
            "[default]\n[[rule]]\nanyy=[\"y\"]\nanswer={}",
        ] {
            assert!(KeywordProvider::parse(text).is_err(), "{text}");
        }
    }
}
