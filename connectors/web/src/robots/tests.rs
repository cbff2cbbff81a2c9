use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn robots(text: &str) -> Robots {
    Robots::parse(text.as_bytes())
}

#[test]
fn patterns_are_those_of_the_standard() {
    for (pattern, path, is_match) in [
        ("/", "/anything", true),
        ("/fish", "/fish", true),
        ("/fish", "/fish.html", true),
        ("/fish", "/Fish.asp", false),
        ("/fish", "/catfish", false),
        ("/fish*", "/fishheads/yummy.html", true),
        ("/fish/", "/fish", false),
        ("/fish/", "/fish/salmon.htm", true),
        ("/*.php", "/index.php?parameters", true),
        ("/*.php", "/", false),
        ("/*.php$", "/folder/any.php.file.php", true),
        ("/*.php$", "/filename.php?parameters", false),
        ("/fish*.php", "/fishheads/catfish.php?parameters", true),
        ("/fish*.php", "/Fish.PHP", false),
        ("/$", "/", true),
        ("/$", "/a", false),
        ("/a$b", "/a$b", true),
        ("*", "/", true),
        ("/%7eada/%e4", "/~ada/%E4", true),
        ("/ü", "/%C3%BC", true),
    ] {
        assert_eq!(
            matches(&super::pattern(pattern), path),
            is_match,
            "{pattern} {path}"
        );
    }
}

#[test]
fn the_longest_rule_decides_and_of_two_the_one_that_allows() {
    for (rules, path, is_allowed) in [
        ("Allow: /p\nDisallow: /", "/page", true),
        ("Allow: /folder\nDisallow: /folder", "/folder/page", true),
        ("Allow: /page\nDisallow: /*.htm", "/page.htm", false),
        ("Allow: /page\nDisallow: /*.ph", "/page.php5", true),
        ("Allow: /$\nDisallow: /", "/", true),
        ("Allow: /$\nDisallow: /", "/page.htm", false),
        ("Disallow:", "/page", true),
        ("disallow : /page # all of it", "/page", false),
        ("Disallow: /", "/robots.txt", true),
        ("Disallow /page", "/page", true),
    ] {
        let robots = robots(&format!("User-agent: *\n{rules}\n"));
        assert_eq!(robots.allows(path), is_allowed, "{rules:?} {path}");
    }
}

#[test]
fn the_groups_for_lectern_count_before_those_for_everybody() {
    let text = "\u{feff}Disallow: /before\r\nUser-agent: *\r\nDisallow: /all\r\nCrawl-delay: 2.5\r\n\r\n\
                User-Agent: Other\nuser-agent: LECTERN/2.0 (x)\nSitemap: https://a.example/s.xml\nDisallow: /ours\n\
                Crawl-delay: 7\nUser-agent: other\nDisallow: /other\nUser-agent: lectern\nAllow: /ours/too\n\
                User-agent: lecterns\nDisallow: /x\n";
    let ours = robots(text);
    for (path, is_allowed) in [
        ("/all", true),
        ("/ours/a", false),
        ("/ours/too", true),
        ("/other", true),
        ("/x", true),
        ("/before", true),
    ] {
        assert_eq!(ours.allows(path), is_allowed, "{path}");
    }
    assert_eq!(ours.crawl_delay, Some(Duration::from_secs(7)));
    assert_eq!(ours.sitemaps, ["https://a.example/s.xml"]);
    let everybodys =
        robots("User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /all\nCrawl-delay: -1\n");
    assert!(everybodys.allows("/x") && !everybodys.allows("/all"));
    assert_eq!(everybodys.crawl_delay, None);
    assert!(!robots("User-agent: lectern\n\nUser-agent: *\nDisallow: /").allows("/x"));
    assert!(robots("<html>no: rules</html>\0\u{1}").allows("/x"));
}

#[test]
fn a_line_that_the_bound_cuts_says_nothing() {
    let mut text = "User-agent: *\nDisallow: /private\n".to_owned();
    let last = "Disallow: /drafts";
    text.push_str(&"#".repeat(MAX_BYTES - text.len() - "Disallow: /\n".len()));
    text.push('\n');
    text.push_str(last);
    let ours = Robots::parse(&text.as_bytes()[..MAX_BYTES]);
    assert!(ours.allows("/open") && !ours.allows("/private"));
}

/// The same in the plainest way there is: each star is tried with each length.
fn plainly_matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => true,
        b"$" => path.is_empty(),
        [b'*', rest @ ..] => (0..=path.len()).any(|taken| plainly_matches(rest, &path[taken..])),
        [byte, rest @ ..] => path.first() == Some(byte) && plainly_matches(rest, &path[1..]),
    }
}

proptest! {
    #[test]
    fn the_quick_matcher_says_what_the_plain_one_says(pattern in "/[ab*/]{0,8}[$]?", path in "/[ab/]{0,12}") {
        let pattern = super::pattern(&pattern);
        prop_assert_eq!(matches(&pattern, &path), plainly_matches(pattern.as_bytes(), path.as_bytes()));
    }

    #[test]
    fn any_file_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        Robots::parse(&bytes).allows("/a");
    }
}
