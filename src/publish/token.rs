//! The token: read once, sent in one header, shown nowhere.

use reqwest::header::HeaderValue;

use super::error::PublishError;

const BLACK: &str = "[token]";

/// A token. It prints as `[token]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(BLACK)
    }
}

impl Token {
    /// The value of a variable; `None` where it is not set, or blank.
    pub(super) fn read(value: Option<String>) -> Option<Self> {
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).map(Self)
    }

    pub(super) fn header(&self) -> Result<HeaderValue, PublishError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| PublishError::Settings("GITHUB_TOKEN holds characters that no header carries".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A text without the token, should somebody have repeated it.
    pub(super) fn black_out(&self, text: &str) -> String {
        text.replace(&self.0, BLACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_print() {
        let token = Token::read(Some(" ghs_marked \n".to_owned())).unwrap();
        assert_eq!(format!("{token:?} {:?}", token.header().unwrap()), "[token] Sensitive");
        assert_eq!(token.black_out("bad ghs_marked!"), "bad [token]!");
        assert!(Token::read(Some(" ".to_owned())).is_none() && Token::read(None).is_none());
        let error = Token::read(Some("two\nlines".to_owned())).unwrap().header().unwrap_err().to_string();
        assert!(!error.contains("lines"), "{error}");
    }
}
