//! Slices: examples that share a label value, and crossings of several labels.

use serde::{Deserialize, Serialize};

use super::side::{Labels, Side};

/// Which slices to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SliceKeys {
    /// Label keys; each value of a key is a slice. `None` takes every key there is.
    pub keys: Option<Vec<String>>,
    /// Crossings of keys, e.g. `["tier", "locale"]`.
    pub crossings: Vec<Vec<String>>,
}

/// A named set of examples, as indices ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// `overall`, `key=value`, or `a=1,b=2`; values that hold `=`, `,` or a space are quoted.
    pub name: String,
    /// The label keys it is made of; empty for `overall`.
    pub keys: Vec<String>,
    /// Its examples.
    pub members: Vec<u32>,
}

/// The name of the slice of everything.
pub const OVERALL: &str = "overall";

/// The name of a slice from its keys and values.
#[must_use]
pub fn slice_name<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let one = |(key, value): (&str, &str)| {
        if value.is_empty() || value.contains(['=', ',', ' ', '"']) {
            format!("{key}=\"{}\"", value.replace('"', "\\\""))
        } else {
            format!("{key}={value}")
        }
    };
    parts.into_iter().map(one).collect::<Vec<_>>().join(",")
}

/// All slices over the examples `rows` of `side`: `overall` first, then key by key, then the crossings.
///
/// # Errors
/// The first key that the side does not have.
pub fn slices(side: &Side, rows: &[u32], wanted: &SliceKeys) -> Result<Vec<Slice>, String> {
    let mut found =
        vec![Slice { name: OVERALL.to_owned(), keys: Vec::new(), members: (0..rows.len() as u32).collect() }];
    let column = |key: &String| {
        side.labels.iter().find(|labels| labels.key == *key).ok_or_else(|| {
            let has: Vec<_> = side.labels.iter().map(|labels| format!("`{}`", labels.key)).collect();
            let has = if has.is_empty() { "no labels at all".to_owned() } else { has.join(", ") };
            format!("{} has no label `{key}` to slice by; it has {has}", side.identity.source)
        })
    };
    let keys: Vec<&Labels> = match &wanted.keys {
        None => side.labels.iter().collect(),
        Some(keys) => keys.iter().map(column).collect::<Result<_, _>>()?,
    };
    for labels in keys {
        found.extend(crossing(&[labels], rows));
    }
    for keys in &wanted.crossings {
        let columns: Vec<&Labels> = keys.iter().map(column).collect::<Result<_, _>>()?;
        found.extend(crossing(&columns, rows));
    }
    Ok(found)
}

/// One slice for each combination of values that occurs, by value: numbers by size, else texts by bytes.
fn crossing(columns: &[&Labels], rows: &[u32]) -> Vec<Slice> {
    let mut members: std::collections::HashMap<Vec<u32>, Vec<u32>> = std::collections::HashMap::new();
    if let [only] = columns {
        // The common case without a hash per example: one list per code.
        let mut lists: Vec<Vec<u32>> = vec![Vec::new(); only.names.len()];
        for (example, &row) in rows.iter().enumerate() {
            for &code in only.of(row as usize) {
                lists[code as usize].push(example as u32);
            }
        }
        members.extend(lists.into_iter().enumerate().map(|(code, list)| (vec![code as u32], list)));
        members.retain(|_, list| !list.is_empty());
    } else {
        for (example, &row) in rows.iter().enumerate() {
            let mut combinations: Vec<Vec<u32>> = vec![Vec::new()];
            for column in columns {
                combinations = combinations
                    .iter()
                    .flat_map(|so_far| {
                        column.of(row as usize).iter().map(|&code| [so_far.as_slice(), &[code]].concat())
                    })
                    .collect();
            }
            for combination in combinations {
                members.entry(combination).or_default().push(example as u32);
            }
        }
    }
    let values = |codes: &[u32]| -> Vec<String> {
        columns.iter().zip(codes).map(|(column, &code)| column.names[code as usize].clone()).collect()
    };
    let mut found: Vec<(Vec<String>, Vec<u32>)> =
        members.into_iter().map(|(codes, members)| (values(&codes), members)).collect();
    found.sort_by(|(a, _), (b, _)| {
        let ordered = a.iter().zip(b).map(|(a, b)| by_value(a, b));
        ordered.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    found
        .into_iter()
        .map(|(values, mut members)| {
            members.dedup();
            Slice {
                name: slice_name(columns.iter().map(|c| c.key.as_str()).zip(values.iter().map(String::as_str))),
                keys: columns.iter().map(|column| column.key.clone()).collect(),
                members,
            }
        })
        .collect()
}

fn by_value(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_quote_what_would_be_ambiguous() {
        assert_eq!(slice_name([("tier", "1"), ("locale", "de")]), "tier=1,locale=de");
        assert_eq!(slice_name([("intent", "a b")]), "intent=\"a b\"");
        assert_eq!(slice_name([("intent", "a=b")]), "intent=\"a=b\"");
    }

    #[test]
    fn numbers_sort_by_size() {
        let mut names = vec!["10", "2", "b", "a", "1"];
        names.sort_by(|a, b| by_value(a, b));
        assert_eq!(names, ["1", "2", "10", "a", "b"]);
    }
}
