//! What language a program is written in: from its name, or from the interpreter that its first line calls.

/// Languages by what names end with. Formats of settings are among them: their line breaks matter as well.
const BY_EXTENSION: &[(&str, &[&str])] = &[
    ("ada", &["adb", "ads"]),
    ("asm", &["asm", "s"]),
    ("awk", &["awk"]),
    ("batch", &["bat", "cmd"]),
    ("c", &["c", "h"]),
    ("clojure", &["clj", "cljs", "cljc", "edn"]),
    ("cmake", &["cmake"]),
    ("cobol", &["cob", "cbl", "cpy"]),
    ("cpp", &["cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino"]),
    ("csharp", &["cs"]),
    ("css", &["css", "scss", "sass", "less"]),
    ("cuda", &["cu", "cuh"]),
    ("dart", &["dart"]),
    ("diff", &["diff", "patch"]),
    ("elixir", &["ex", "exs"]),
    ("elm", &["elm"]),
    ("erlang", &["erl", "hrl"]),
    ("fortran", &["f", "for", "f90", "f95", "f03"]),
    ("fsharp", &["fs", "fsi", "fsx"]),
    ("go", &["go"]),
    ("graphql", &["graphql", "gql"]),
    ("groovy", &["groovy", "gradle"]),
    ("haskell", &["hs", "lhs"]),
    ("hcl", &["hcl", "tf", "tfvars"]),
    ("ini", &["ini", "cfg", "conf", "properties", "env"]),
    ("java", &["java"]),
    ("javascript", &["js", "mjs", "cjs", "jsx"]),
    ("julia", &["jl"]),
    ("kotlin", &["kt", "kts"]),
    ("lisp", &["lisp", "lsp", "el", "scm", "rkt"]),
    ("lua", &["lua"]),
    ("make", &["mk", "mak"]),
    ("matlab", &["m"]),
    ("nix", &["nix"]),
    ("objective-c", &["mm"]),
    ("ocaml", &["ml", "mli"]),
    ("pascal", &["pas", "dpr", "pp"]),
    ("perl", &["pl", "pm"]),
    ("php", &["php"]),
    ("powershell", &["ps1", "psm1", "psd1"]),
    ("protobuf", &["proto"]),
    ("python", &["py", "pyi", "pyw", "pyx"]),
    ("r", &["r"]),
    ("ruby", &["rb", "rake", "gemspec"]),
    ("rust", &["rs"]),
    ("scala", &["scala", "sc", "sbt"]),
    ("shell", &["sh", "bash", "zsh", "fish", "ksh"]),
    ("solidity", &["sol"]),
    ("sql", &["sql", "ddl", "psql"]),
    ("svelte", &["svelte"]),
    ("swift", &["swift"]),
    ("systemverilog", &["v", "sv", "svh"]),
    ("tcl", &["tcl"]),
    ("toml", &["toml"]),
    ("typescript", &["ts", "mts", "cts", "tsx"]),
    ("vb", &["vb", "vbs", "bas"]),
    ("vhdl", &["vhd", "vhdl"]),
    ("vim", &["vim"]),
    ("vue", &["vue"]),
    ("yaml", &["yaml", "yml"]),
    ("zig", &["zig"]),
];

/// Languages by whole names.
const BY_NAME: &[(&str, &[&str])] = &[
    ("make", &["makefile", "gnumakefile"]),
    ("dockerfile", &["dockerfile", "containerfile"]),
    ("ruby", &["rakefile", "gemfile", "vagrantfile"]),
    ("groovy", &["jenkinsfile"]),
    ("cmake", &["cmakelists.txt"]),
    ("ini", &[".editorconfig", ".gitconfig", ".npmrc"]),
    ("shell", &[".bashrc", ".profile", ".zshrc"]),
];

/// Languages by interpreter, after `#!`.
const BY_INTERPRETER: &[(&str, &[&str])] = &[
    ("shell", &["sh", "bash", "zsh", "dash", "ksh", "fish"]),
    ("python", &["python"]),
    ("perl", &["perl"]),
    ("ruby", &["ruby"]),
    ("javascript", &["node", "deno", "bun"]),
    ("php", &["php"]),
    ("lua", &["lua"]),
    ("awk", &["awk", "gawk"]),
    ("r", &["Rscript"]),
    ("tcl", &["tclsh", "wish"]),
];

/// The language that a file's name stands for; `file_name` is in lower case.
pub(super) fn language_of_name(file_name: &str) -> Option<&'static str> {
    find(BY_NAME, file_name).or_else(|| find(BY_EXTENSION, file_name.rsplit_once('.')?.1))
}

/// The language whose interpreter the first line calls.
pub(super) fn language_of_first_line(start: &str) -> Option<&'static str> {
    let command = start.lines().next()?.strip_prefix("#!")?;
    let mut words = command.split_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    find(
        BY_INTERPRETER,
        program.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.'),
    )
}

fn find(languages: &[(&'static str, &[&str])], key: &str) -> Option<&'static str> {
    languages
        .iter()
        .find(|(_, keys)| keys.contains(&key))
        .map(|(language, _)| *language)
}
