//! The web interfaces as the server hands them out: compressed, once, and under a policy.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::path::PathBuf;

use khaosat_tests::installation::{Installation, Server, repository};
use ureq::Agent;
use ureq::http::Response;

const BROTLI: &[(&str, &str)] = &[("accept-encoding", "gzip, deflate, br")];

/// A server with its interfaces, and a client that takes every answer as it comes.
struct Site {
    _installation: Installation,
    server: Server,
    agent: Agent,
}

/// What was answered.
struct Answer {
    response: Response<()>,
    body: Vec<u8>,
}

impl Site {
    fn new() -> Self {
        let installation = Installation::new();
        let server = installation.serve();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        Self {
            _installation: installation,
            server,
            agent: config.build().new_agent(),
        }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("http://{}{path}", self.server.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, mut body) = request.call().unwrap().into_parts();
        Answer {
            body: body.read_to_vec().unwrap(),
            response: Response::from_parts(parts, ()),
        }
    }
}

impl Answer {
    fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// What `cargo xtask web` built of an interface.
fn built(path: &str) -> PathBuf {
    let path = repository().join("web").join(path);
    assert!(path.exists(), "{} is missing: run `cargo xtask web`", path.display());
    path
}

/// The name of the file in an interface's `assets` that ends so.
fn asset(interface: &str, ending: &str) -> String {
    let folder = built(&format!("{interface}/dist/assets"));
    let mut names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    format!("assets/{}", names.find(|name| name.ends_with(ending)).unwrap())
}

#[test]
fn the_phone_app_is_below_its_own_path() {
    let site = Site::new();
    let moved = site.get("/phone", &[]);
    assert_eq!((moved.status(), moved.header("location")), (308, "phone/"));
    let page = site.get("/phone/", &[]);
    assert_eq!(page.status(), 200);
    assert_eq!(page.body, std::fs::read(built("phone/dist/index.html")).unwrap());
    assert_eq!(page.body, site.get("/phone/index.html", &[]).body);
    assert_ne!(page.body, site.get("/", &[]).body);
    for unknown in [
        "/phone/unknown",
        "/phone/assets/unknown.js",
        "/phone/index.html.br",
        "/index.html.br",
    ] {
        let answer = site.get(unknown, BROTLI);
        assert_eq!(answer.status(), 404, "{unknown}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{unknown}");
    }
}

#[test]
fn whoever_reads_brotli_gets_what_the_build_compressed() {
    let site = Site::new();
    for (interface, root) in [("console", "/"), ("phone", "/phone/")] {
        let script = asset(interface, ".js");
        for path in ["index.html", script.as_str()] {
            let file = built(&format!("{interface}/dist/{path}"));
            let plain = site.get(&format!("{root}{path}"), &[("accept-encoding", "gzip")]);
            assert_eq!(plain.header("content-encoding"), "", "{path}");
            assert_eq!(plain.body, std::fs::read(&file).unwrap(), "{path}");

            let compressed = site.get(&format!("{root}{path}"), BROTLI);
            assert_eq!(compressed.header("content-encoding"), "br", "{path}");
            let mut inflated = Vec::new();
            brotli::BrotliDecompress(&mut compressed.body.as_slice(), &mut inflated).unwrap();
            assert_eq!(inflated, plain.body, "{path}");
            for answer in [&plain, &compressed] {
                assert_eq!(answer.header("vary"), "Accept-Encoding", "{path}");
                assert_eq!(answer.header("content-type"), plain.header("content-type"), "{path}");
            }
            assert_ne!(plain.header("etag"), compressed.header("etag"), "{path}");
        }
    }
    let picture = site.get("/phone/icon-192.png", BROTLI);
    assert_eq!((picture.status(), picture.header("content-encoding")), (200, ""));
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let site = Site::new();
    let script = format!("/phone/{}", asset("phone", ".js"));
    for (path, cached) in [
        ("/phone/service-worker.js", "no-cache"),
        ("/phone/", "no-cache"),
        (script.as_str(), "public, max-age=31536000, immutable"),
    ] {
        let first = site.get(path, BROTLI);
        assert_eq!((first.status(), first.header("cache-control")), (200, cached), "{path}");
        let tag = first.header("etag");
        let others = format!("\"other\", W/{tag}");
        for known in [tag, others.as_str(), "*"] {
            let again = site.get(path, &[BROTLI[0], ("if-none-match", known)]);
            assert_eq!((again.status(), again.body.len()), (304, 0), "{path} {known}");
            assert_eq!(
                (again.header("etag"), again.header("cache-control")),
                (tag, cached),
                "{path}"
            );
        }
        let other = site.get(path, &[BROTLI[0], ("if-none-match", "\"other\"")]);
        assert_eq!((other.status(), other.body), (200, first.body), "{path}");
    }
}

#[test]
fn browsers_learn_what_each_file_is() {
    let site = Site::new();
    let module = asset("phone", ".wasm");
    for (path, kind) in [
        ("", "text/html; charset=utf-8"),
        ("rescue.html", "text/html; charset=utf-8"),
        ("rescue.js", "text/javascript"),
        ("service-worker.js", "text/javascript"),
        ("manifest.webmanifest", "application/manifest+json"),
        (module.as_str(), "application/wasm"),
        ("icon-512.png", "image/png"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let answer = site.get(&format!("/phone/{path}"), BROTLI);
        assert_eq!((answer.status(), answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[test]
fn only_the_phone_app_may_do_what_only_it_needs() {
    let site = Site::new();
    let console = site.get("/", &[]);
    for forbidden in ["wasm-unsafe-eval", "blob:", "unsafe-inline"] {
        assert!(
            !console.header("content-security-policy").contains(forbidden),
            "{forbidden}"
        );
    }
    let worker = format!("/phone/{}", asset("phone", ".js"));
    for path in ["/phone/", "/phone/service-worker.js", worker.as_str()] {
        let answer = site.get(path, &[]);
        let policy: Vec<&str> = answer.header("content-security-policy").split("; ").collect();
        for directive in [
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "img-src 'self' blob:",
            "media-src 'self' blob:",
            "worker-src 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(&directive), "{path}: {directive} in {policy:?}");
        }
        assert_eq!(
            answer.header("permissions-policy"),
            "geolocation=(self), camera=(self), microphone=(self)"
        );
    }
}
