//! The proxies of the environment, where reqwest reads them otherwise than others do.

use reqwest::{ClientBuilder, NoProxy, Proxy};

/// A variable by its names, and what its proxy is for.
struct Variable {
    names: [&'static str; 2],
    proxy: fn(&str) -> reqwest::Result<Proxy>,
}

const VARIABLES: [Variable; 3] = [
    Variable { names: ["HTTPS_PROXY", "https_proxy"], proxy: |url| Proxy::https(url) },
    Variable { names: ["HTTP_PROXY", "http_proxy"], proxy: |url| Proxy::http(url) },
    Variable { names: ["ALL_PROXY", "all_proxy"], proxy: |url| Proxy::all(url) },
];

/// Lets a `socks5://` proxy resolve names, as Go's clients do: whoever needs such a proxy mostly has no other way to resolve
/// them. reqwest does that for `socks5h://` alone. Where there is no such proxy, nothing is changed.
pub(super) fn of_environment(builder: ClientBuilder) -> ClientBuilder {
    // A CGI program must not read them: its client could set HTTP_PROXY by a header.
    if std::env::var_os("REQUEST_METHOD").is_some() {
        return builder;
    }
    let named: Vec<_> = VARIABLES.into_iter().filter_map(|it| Some((value(it.names)?, it.proxy))).collect();
    if named.iter().all(|(url, _)| by_its_own_names(url).is_none()) {
        return builder;
    }
    named.into_iter().fold(builder, |builder, (url, proxy)| {
        match proxy(by_its_own_names(&url).as_deref().unwrap_or(&url)) {
            Ok(proxy) => builder.proxy(proxy.no_proxy(NoProxy::from_env())),
            // What is no URL is passed over, as reqwest does.
            Err(_) => builder,
        }
    })
}

fn value(names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

/// The URL that lets the proxy resolve names, where this one does not.
fn by_its_own_names(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.eq_ignore_ascii_case("socks5").then(|| format!("socks5h://{rest}"))
}
