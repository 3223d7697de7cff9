//! Reads the paths that a source file mentions, as tokens, without what exists in tests only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::{self, VisitMut};

/// Stand for a path with too many `super`, and for a module whose file is not where its name says.
pub const ABOVE: &str = "<above>";
pub const MOVED: &str = "<moved>";

/// A path in the source, from the crate root (`crate::…`) or from another crate.
pub struct Mention {
    pub path: Vec<String>,
    pub is_macro: bool,
    pub line: usize,
}

/// The names that a module (or a file, functions included) gives to its children and imports.
#[derive(Default)]
struct Scope {
    module: Vec<String>,
    children: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
}

impl Scope {
    fn resolve(&self, written: &[String]) -> Vec<String> {
        let from = |module: &[String], rest: &[String]| [&["crate".to_owned()], module, rest].concat();
        let Some(first) = written.first() else { return Vec::new() };
        match first.as_str() {
            // A leading `::`.
            "" => written[1..].to_vec(),
            "crate" | "evalgauge" => from(&[], &written[1..]),
            "self" | "super" => {
                let climbs =
                    written.iter().skip_while(|part| *part == "self").take_while(|part| *part == "super").count();
                let rest: Vec<String> =
                    written.iter().skip_while(|part| matches!(part.as_str(), "self" | "super")).cloned().collect();
                match self.module.len().checked_sub(climbs) {
                    Some(depth) => from(&self.module[..depth], &rest),
                    None => vec![ABOVE.to_owned()],
                }
            }
            _ if self.children.contains(first) => from(&self.module, written),
            _ => match self.imports.get(first) {
                Some(target) => [target.as_slice(), &written[1..]].concat(),
                None => written.to_vec(),
            },
        }
    }
}

/// Every path that a file mentions.
pub fn mentions(file: &syn::File, module: &[String]) -> Vec<Mention> {
    let mut mentions = Vec::new();
    Reader { mentions: &mut mentions }.module(&file.to_token_stream(), module);
    mentions
}

struct Reader<'a> {
    mentions: &'a mut Vec<Mention>,
}

impl Reader<'_> {
    /// Reads one module: first the names that it makes, then the paths that use them.
    fn module(&mut self, tokens: &TokenStream, module: &[String]) {
        let mut scope = Scope { module: module.to_vec(), ..Scope::default() };
        let mut uses = Vec::new();
        declarations(tokens, &mut scope.children, &mut uses);
        // An import may start from another one, so that a few rounds are needed.
        for _ in 0..3 {
            for (name, path) in &uses {
                // `use csv::{self}` gives its own first name, which is not a way to resolve it.
                let resolved = if path.first() == Some(name) && !scope.children.contains(name) {
                    path.clone()
                } else {
                    scope.resolve(path)
                };
                scope.imports.insert(name.clone(), resolved);
            }
        }
        self.paths(tokens, &scope);
    }

    fn paths(&mut self, tokens: &TokenStream, scope: &Scope) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let line = tokens[at].span().start().line;
            if let Some((name, body, next)) = module_item(&tokens, at) {
                if let Some(body) = body {
                    self.module(&body, &[scope.module.as_slice(), &[name]].concat());
                }
                at = next;
            } else if let Some((leaves, next)) = import(&tokens, at) {
                for (name, path) in leaves {
                    let own_name = path.first() == Some(&name) && !scope.children.contains(&name);
                    let path = if own_name { path } else { scope.resolve(&path) };
                    self.mentions.push(Mention { path, is_macro: false, line });
                }
                at = next;
            } else if let Some((written, next)) = path(&tokens, at) {
                let is_macro =
                    is_punct(tokens.get(next), '!') && matches!(tokens.get(next + 1), Some(TokenTree::Group(_)));
                if is_macro || written.len() > 1 {
                    self.mentions.push(Mention { path: scope.resolve(&written), is_macro, line });
                }
                at = next;
            } else {
                if let TokenTree::Group(group) = &tokens[at] {
                    let after_hash = at > 0 && is_punct(tokens.get(at - 1), '#');
                    if after_hash && moves_a_module(&group.stream()) {
                        self.mentions.push(Mention { path: vec![MOVED.to_owned()], is_macro: false, line });
                    }
                    self.paths(&group.stream(), scope);
                }
                at += 1;
            }
        }
    }
}

/// The child modules and imports of a module, wherever in it they are written; inline modules are on their own.
fn declarations(tokens: &TokenStream, children: &mut BTreeSet<String>, uses: &mut Vec<Leaf>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((name, _, next)) = module_item(&tokens, at) {
            children.insert(name);
            at = next;
        } else if let Some((leaves, next)) = import(&tokens, at) {
            uses.extend(leaves);
            at = next;
        } else {
            if let TokenTree::Group(group) = &tokens[at] {
                declarations(&group.stream(), children, uses);
            }
            at += 1;
        }
    }
}

/// `mod name;` or `mod name { body }`: the name, the body, and where it ends.
fn module_item(tokens: &[TokenTree], at: usize) -> Option<(String, Option<TokenStream>, usize)> {
    if word(tokens.get(at))? != "mod" {
        return None;
    }
    let name = word(tokens.get(at + 1))?;
    match tokens.get(at + 2)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some((name, Some(group.stream()), at + 3)),
        TokenTree::Punct(punct) if punct.as_char() == ';' => Some((name, None, at + 3)),
        _ => None,
    }
}

/// An import's name and the path that it stands for, as written.
type Leaf = (String, Vec<String>);

/// `use tree;` or `extern crate name as other;`: every leaf with the name that it gives, and where it ends.
fn import(tokens: &[TokenTree], at: usize) -> Option<(Vec<Leaf>, usize)> {
    let (start, prefix) = match word(tokens.get(at))?.as_str() {
        "use" => (at + 1, None),
        // Always another crate, as with a leading `::`.
        "extern" if word(tokens.get(at + 1)).as_deref() == Some("crate") => (at + 2, Some(String::new())),
        _ => return None,
    };
    let end = start + tokens[start..].iter().position(|token| is_punct(Some(token), ';'))?;
    // `impl Trait + use<'a>` is no import.
    if is_punct(tokens.get(start), '<') {
        return None;
    }
    let mut leaves = Vec::new();
    import_tree(&tokens[start..end], prefix.as_slice(), &mut leaves);
    Some((leaves, end + 1))
}

fn import_tree(tokens: &[TokenTree], prefix: &[String], leaves: &mut Vec<Leaf>) {
    for branch in tokens.split(|token| is_punct(Some(token), ',')).filter(|branch| !branch.is_empty()) {
        let mut path = prefix.to_vec();
        let mut name = None;
        let mut rest = branch.iter();
        if path.is_empty() && is_punct(branch.first(), ':') {
            path.push(String::new());
        }
        let mut is_leaf = true;
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Ident(ident) if ident == "as" => name = word(rest.next()),
                TokenTree::Ident(ident) if ident == "self" && !path.is_empty() => {}
                TokenTree::Ident(_) => path.extend(word(Some(token))),
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                TokenTree::Group(group) => {
                    import_tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, leaves);
                    is_leaf = false;
                }
                _ => {}
            }
        }
        if is_leaf {
            let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
            leaves.push((name, path));
        }
    }
}

/// The path that starts here, if one does: its parts (the first is empty after a leading `::`), and where it ends.
fn path(tokens: &[TokenTree], at: usize) -> Option<(Vec<String>, usize)> {
    let colons = |at: usize| is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':');
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let mut parts = Vec::new();
    let mut at = at;
    if colons(at) && !matches!(before, Some(TokenTree::Ident(_))) && !is_punct(before, '>') {
        parts.push(String::new());
        at += 2;
    } else if is_punct(before, '.') || is_punct(before, '\'') || is_punct(before, ':') && at > 1 && colons(at - 2) {
        return None;
    }
    parts.push(word(tokens.get(at))?);
    at += 1;
    while colons(at)
        && let Some(part) = word(tokens.get(at + 2))
    {
        parts.push(part);
        at += 3;
    }
    Some((parts, at))
}

fn moves_a_module(attribute: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = attribute.clone().into_iter().take(2).collect();
    word(tokens.first()).as_deref() == Some("path") && is_punct(tokens.get(1), '=')
}

fn word(token: Option<&TokenTree>) -> Option<String> {
    let TokenTree::Ident(ident) = token? else { return None };
    let text = ident.to_string();
    Some(text.strip_prefix("r#").map_or(text.clone(), str::to_owned))
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Takes out what exists in tests only: items, methods and statements. What else may carry the attribute (a field, an
/// arm) stays, which is the stricter reading.
pub struct WithoutTests<'a> {
    pub module: Vec<String>,
    /// Modules in files of their own that are declared for tests only.
    pub test_modules: &'a mut BTreeSet<Vec<String>>,
}

impl WithoutTests<'_> {
    fn items(&mut self, items: &mut Vec<syn::Item>) {
        items.retain(|item| {
            let for_tests = is_for_tests(item_attributes(item));
            if let (true, syn::Item::Mod(module)) = (for_tests, item) {
                self.test_modules.insert([self.module.as_slice(), &[module.ident.to_string()]].concat());
            }
            !for_tests
        });
    }
}

impl VisitMut for WithoutTests<'_> {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        self.items(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        self.module.push(module.ident.to_string());
        if let Some((_, items)) = &mut module.content {
            self.items(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
        self.module.pop();
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        item.items.retain(|item| match item {
            syn::ImplItem::Fn(item) => !is_for_tests(&item.attrs),
            syn::ImplItem::Const(item) => !is_for_tests(&item.attrs),
            syn::ImplItem::Type(item) => !is_for_tests(&item.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| match statement {
            syn::Stmt::Local(local) => !is_for_tests(&local.attrs),
            syn::Stmt::Macro(call) => !is_for_tests(&call.attrs),
            syn::Stmt::Item(item) => !is_for_tests(item_attributes(item)),
            syn::Stmt::Expr(..) => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

/// `#[cfg(test)]`, or `#[cfg(all(test, …))]`.
pub fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        list.path.is_ident("cfg")
            && match tokens.as_slice() {
                [TokenTree::Ident(only)] => only == "test",
                [TokenTree::Ident(all), TokenTree::Group(group)] if all == "all" => {
                    let parts: Vec<TokenTree> = group.stream().into_iter().collect();
                    parts
                        .split(|part| is_punct(Some(part), ','))
                        .any(|part| matches!(part, [TokenTree::Ident(one)] if one == "test"))
                }
                _ => false,
            }
    })
}

fn item_attributes(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item;
    match item {
        Item::Const(syn::ItemConst { attrs, .. })
        | Item::Enum(syn::ItemEnum { attrs, .. })
        | Item::ExternCrate(syn::ItemExternCrate { attrs, .. })
        | Item::Fn(syn::ItemFn { attrs, .. })
        | Item::Impl(syn::ItemImpl { attrs, .. })
        | Item::Macro(syn::ItemMacro { attrs, .. })
        | Item::Mod(syn::ItemMod { attrs, .. })
        | Item::Static(syn::ItemStatic { attrs, .. })
        | Item::Struct(syn::ItemStruct { attrs, .. })
        | Item::Trait(syn::ItemTrait { attrs, .. })
        | Item::Type(syn::ItemType { attrs, .. })
        | Item::Use(syn::ItemUse { attrs, .. }) => attrs,
        _ => &[],
    }
}

/// `score/text/bleu.rs` is `score::text::bleu`; `lib.rs` and `main.rs` are roots.
pub fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().expect("a name in UTF-8").to_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") || path == ["lib"] || path == ["main"] {
        path.pop();
    }
    path
}
