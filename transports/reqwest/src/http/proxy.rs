//! The proxies of the environment that reqwest reads differently from other tools.

use longshore_core::Scheme;
use longshore_core::driver::NoAnswer;
use reqwest::{ClientBuilder, NoProxy, Proxy};

/// A variable by its names, and the requests that its proxy is for.
struct Variable {
    names: [&'static str; 2],
    proxy: fn(&str) -> reqwest::Result<Proxy>,
}

const VARIABLES: [Variable; 3] = [
    Variable { names: ["HTTPS_PROXY", "https_proxy"], proxy: |url| Proxy::https(url) },
    Variable { names: ["HTTP_PROXY", "http_proxy"], proxy: |url| Proxy::http(url) },
    Variable { names: ["ALL_PROXY", "all_proxy"], proxy: |url| Proxy::all(url) },
];

/// Lets a `socks5://` proxy resolve names, as Go's clients do: a machine that needs such a proxy usually cannot resolve
/// them itself. reqwest does that only for `socks5h://`. Without such a proxy, nothing is changed.
///
/// # Errors
/// Where the proxy for this scheme is none that can be used: what should go through a proxy does not go without.
pub(super) fn of_environment(builder: ClientBuilder, scheme: Scheme) -> Result<ClientBuilder, NoAnswer> {
    // A CGI program must not read them, because its client could set HTTP_PROXY with a header.
    if std::env::var_os("REQUEST_METHOD").is_some() {
        return Ok(builder);
    }
    let of_scheme = if scheme == Scheme::Https { &VARIABLES[0] } else { &VARIABLES[1] };
    let used = [of_scheme, &VARIABLES[2]].into_iter().find_map(|it| Some((it, value(it.names)?)));
    if let Some((variable, url)) = used
        && !is_usable(&url, variable.proxy)
    {
        let name = variable.names[0];
        let why = "it is written as [http://]host:port, or with https, socks4, socks4a, socks5 or socks5h";
        return Err(NoAnswer::Unsendable(format!("{name} names no proxy that can be used: {why}")));
    }
    let named: Vec<_> = VARIABLES.into_iter().filter_map(|it| Some((value(it.names)?, it.proxy))).collect();
    if named.iter().all(|(url, _)| by_its_own_names(url).is_none()) {
        return Ok(builder);
    }
    Ok(named.into_iter().fold(builder, |builder, (url, proxy)| {
        match proxy(by_its_own_names(&url).as_deref().unwrap_or(&url)) {
            Ok(proxy) => builder.proxy(proxy.no_proxy(NoProxy::from_env())),
            // It is not for this scheme.
            Err(_) => builder,
        }
    }))
}

fn is_usable(url: &str, proxy: fn(&str) -> reqwest::Result<Proxy>) -> bool {
    let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme).to_ascii_lowercase();
    ["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) && proxy(url).is_ok()
}

fn value(names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

/// The URL with which the proxy resolves names, if this URL does not have that effect.
fn by_its_own_names(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.eq_ignore_ascii_case("socks5").then(|| format!("socks5h://{rest}"))
}
