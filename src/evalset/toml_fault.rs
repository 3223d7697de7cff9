//! What is wrong with a TOML file, where, and what was meant perhaps.

/// The line of a fault, from 1, and a sentence: the message with the known key that comes nearest to an unknown one.
#[must_use]
pub fn toml_fault(text: &str, error: &toml::de::Error) -> (usize, String) {
    let before = error.span().and_then(|span| text.get(..span.start.min(text.len()))).unwrap_or_default();
    (before.matches('\n').count() + 1, with_nearest(error.message()))
}

/// Adds "did you mean" to a message of the form "unknown field `x`, expected one of `a`, `b`".
fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ").then(|| quoted.next()).flatten();
    let Some(unknown) = unknown else { return message.to_owned() };
    let nearest = quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(unknown.len()) / 2);
    let message =
        message.replacen("unknown field", "unknown key", 1).replacen("unknown variant", "unknown kind or value", 1);
    match nearest {
        Some((_, known)) => format!("{message}; did you mean `{known}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named() {
        assert_eq!(
            with_nearest("unknown field `candidat`, expected one of `evalset`, `candidate`"),
            "unknown key `candidat`, expected one of `evalset`, `candidate`; did you mean `candidate`?"
        );
        assert_eq!(with_nearest("invalid type: x"), "invalid type: x");
    }
}
