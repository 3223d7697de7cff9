//! Names of models: who is of whose family, and which name stands for something that changes.

/// Words that a model's name begins with or holds as a part of its own, and the family that they stand for.
const FAMILIES: [(&str, &str); 25] = [
    ("gpt", "gpt"),
    ("chatgpt", "gpt"),
    ("davinci", "gpt"),
    ("o1", "gpt"),
    ("o3", "gpt"),
    ("o4", "gpt"),
    ("codex", "gpt"),
    ("claude", "claude"),
    ("gemini", "gemini"),
    ("gemma", "gemini"),
    ("palm", "gemini"),
    ("llama", "llama"),
    ("codellama", "llama"),
    ("vicuna", "llama"),
    ("qwen", "qwen"),
    ("qwq", "qwen"),
    ("mistral", "mistral"),
    ("mixtral", "mistral"),
    ("ministral", "mistral"),
    ("codestral", "mistral"),
    ("deepseek", "deepseek"),
    ("smollm", "smollm"),
    ("command", "command"),
    ("grok", "grok"),
    ("phi", "phi"),
];

/// The family of a model, by its name; `None` where the name says nothing.
#[must_use]
pub fn family(model: &str) -> Option<&'static str> {
    let lower = model.to_lowercase();
    // `meta-llama/Llama-3.1-8B`, `us.anthropic.claude-…`: a word anywhere counts, a family's own name first.
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let of = |word: &&str| {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
        FAMILIES.iter().find(|(known, _)| known == word || *known == bare).map(|(_, family)| *family)
    };
    // `qwen2`, `smollm2`, and `Qwen2.5`: a digit may follow at once.
    words.iter().find_map(of).or_else(|| {
        let begins = |(known, _): &&(&str, &str)| known.len() > 3 && words.iter().any(|word| word.starts_with(*known));
        FAMILIES.iter().find(begins).map(|(_, family)| *family)
    })
}

/// Whether two models are of one family: the same name, or the same known family.
#[must_use]
pub fn are_related(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || family(one).is_some_and(|known| family(other) == Some(known))
}

/// Whether a name stands for a model that may be another one tomorrow: it has neither a date nor a digest.
#[must_use]
pub fn is_floating(model: &str) -> bool {
    let lower = model.to_lowercase();
    if lower.ends_with("latest") || lower.ends_with("preview") {
        return true;
    }
    let parts = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    let is_digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    // 20250805, 0613, 2024-07-18, 05-20 …
    let dated = parts().any(|part| is_digits(part, 8) || is_digits(part, 4) || is_digits(part, 6));
    let short_date = parts().zip(parts().skip(1)).any(|(month, day)| is_digits(month, 2) && is_digits(day, 2));
    // gemini-2.5-pro-001, a digest of weights
    let numbered = parts().next_back().is_some_and(|part| is_digits(part, 3));
    let digest = parts().any(|part| {
        part.len() >= 12
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|b| b.is_ascii_digit())
    });
    !(dated || short_date || numbered || digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_from_names() {
        for (model, known) in [
            ("gpt-4o-mini-2024-07-18", Some("gpt")),
            ("o3-mini", Some("gpt")),
            ("chatgpt-4o-latest", Some("gpt")),
            ("claude-opus-4-1-20250805", Some("claude")),
            ("us.anthropic.claude-3-5-haiku-20241022-v1:0", Some("claude")),
            ("gemini-2.5-pro", Some("gemini")),
            ("meta-llama/Llama-3.1-8B-Instruct", Some("llama")),
            ("Qwen2.5-72B", Some("qwen")),
            ("SmolLM2-135M-Instruct", Some("smollm")),
            ("mixtral-8x7b", Some("mistral")),
            ("deepseek-ai/DeepSeek-V3", Some("deepseek")),
            ("graphite", None),
            ("m", None),
        ] {
            assert_eq!(family(model), known, "{model}");
        }
        assert!(are_related("gpt-4o", "o3") && are_related("own-model", "OWN-model"));
        assert!(!are_related("gpt-4o", "claude-opus-4-1") && !are_related("a", "b"));
    }

    #[test]
    fn a_name_without_date_or_digest_floats() {
        for floating in ["gpt-4o", "claude-opus-4-1", "gemini-2.5-pro", "chatgpt-4o-latest", "gpt-4-0613-preview"] {
            assert!(is_floating(floating), "{floating}");
        }
        for pinned in [
            "gpt-4o-mini-2024-07-18",
            "claude-opus-4-1-20250805",
            "gemini-2.0-flash-001",
            "gpt-4-0613",
            "gemini-2.5-pro-05-06",
            "a-pinned-snapshot-2026-08-01",
            "smollm2@sha256:2fb1ab9d7c3e0000",
        ] {
            assert!(!is_floating(pinned), "{pinned}");
        }
    }
}
