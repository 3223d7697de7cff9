//! Where requests go, and with which headers.

use reqwest::Url;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::super::router::ProviderError;
use super::secret::Secret;
use crate::call::Headers;

/// Headers that carry keys, and so are not for the config.
const OF_KEYS: [&str; 6] = ["authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"];

fn settings(what: String) -> ProviderError {
    ProviderError::Settings(what)
}

/// Reads an address of a setting. What is wrong with it is said without repeating it: it may hold a key.
pub(in super::super) fn parse(setting: &str, text: &str) -> Result<Url, ProviderError> {
    let url = Url::parse(text).map_err(|error| settings(format!("`{setting}` is no address: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(settings(format!(
            "`{setting}` holds a name or password; put it into an environment variable and name that with `key_env`"
        )));
    }
    match (url.scheme(), url.has_host(), url.fragment()) {
        ("http" | "https", true, None) => Ok(url),
        (_, _, Some(_)) => Err(settings(format!("`{setting}` has a part behind `#`, which is never sent"))),
        (other, ..) => Err(settings(format!("`{setting}` starts with `{other}:`; expected http: or https:"))),
    }
}

/// Reads the address of an API, below which there are paths.
pub(super) fn parse_base(text: &str) -> Result<Url, ProviderError> {
    let url = parse("base_url", text)?;
    if url.query().is_some() {
        return Err(settings("`base_url` has a part behind `?`; paths are added to it, so leave that out".to_owned()));
    }
    Ok(url)
}

/// Whether an address is on this machine, where no key is needed and no proxy is in between.
pub(in super::super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The key in a variable; an address on this machine needs none.
pub(super) fn key(
    url: &Url,
    variable: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Secret>, ProviderError> {
    let secret = Secret::read(variable, env)?;
    if secret.is_none() && !is_loopback(url) {
        return Err(settings(format!(
            "there is no key: the environment variable `{variable}` is not set; set it, or name another one with `key_env`"
        )));
    }
    Ok(secret)
}

/// The headers of the config.
pub(super) fn headers(configured: &Headers, key_header: &str) -> Result<HeaderMap, ProviderError> {
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| settings(format!("`headers`: `{name}` is no name of a header")))?;
        if OF_KEYS.contains(&parsed.as_str()) || parsed.as_str().eq_ignore_ascii_case(key_header) {
            return Err(settings(format!(
                "`headers`: `{name}` carries a key, and headers are kept; name its environment variable with `key_env`"
            )));
        }
        if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(&parsed) {
            return Err(settings(format!("`headers`: `{name}` follows from the body and cannot be set")));
        }
        let value = HeaderValue::try_from(value.as_str())
            .map_err(|_| settings(format!("`headers`: the value of `{name}` cannot be sent")))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// As [`headers`], for a body of JSON.
pub(super) fn json_headers(configured: &Headers, key_header: &str) -> Result<HeaderMap, ProviderError> {
    let mut headers = headers(configured, key_header)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_keys_in_them_are_refused_without_showing_them() {
        for wrong in [
            "https://user:hunter2@a.example/v1",
            "https://hunter2@a.example/v1",
            "https://a.example/v1?key=hunter2",
            "https://a.example/v1#hunter2",
            "ftp://a.example/hunter2",
            "hunter2",
        ] {
            let error = parse_base(wrong).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{wrong}: {error}");
        }
        assert!(parse_base("https://a.example/v1/").is_ok());
        assert!(parse("url", "https://a.example/ask?lang=de").is_ok());
    }

    #[test]
    fn only_this_machine_needs_no_key() {
        let none = |_: &str| None;
        for (address, is_here) in [
            ("http://127.0.0.1:8080/v1", true),
            ("http://127.8.0.1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost:11434/v1", true),
            ("http://LOCALHOST/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://10.0.0.1/", false),
            ("https://api.openai.com/v1", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_loopback(&url), is_here, "{address}");
            let key = key(&url, "SOME_KEY", &none);
            assert_eq!(key.is_ok(), is_here, "{address}");
            if let Err(error) = key {
                assert!(error.to_string().contains("`SOME_KEY`"), "{error}");
            }
        }
    }

    #[test]
    fn headers_are_not_for_keys() {
        let one = |name: &str, value: &str| Headers::from([(name.to_owned(), value.to_owned())]);
        for name in ["Authorization", "X-Api-Key", "api-key", "x-goog-api-key", "cookie", "x-mine"] {
            let error = headers(&one(name, "hunter2"), "X-Mine").unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
        assert!(headers(&one("content-length", "3"), "").is_err());
        assert!(headers(&one("x y", "3"), "").is_err());
        assert!(headers(&one("x-team", "a\nb"), "").is_err());
        assert_eq!(headers(&one("X-Team", "eval"), "").unwrap()["x-team"], "eval");
    }
}
