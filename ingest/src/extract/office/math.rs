//! Equations of OOXML (ISO/IEC 29500-1, 22.1) as LaTeX, as far as words and structure go.

use super::xml::Element;

/// What LaTeX calls a character.
const SYMBOLS: [(char, &str); 55] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('ϵ', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
    ('φ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
    ('∑', "sum"),
    ('∏', "prod"),
    ('∫', "int"),
    ('∬', "iint"),
    ('∭', "iiint"),
    ('∮', "oint"),
    ('∯', "oiint"),
    ('∰', "oiiint"),
    ('⋃', "bigcup"),
    ('⋂', "bigcap"),
    ('⋀', "bigwedge"),
    ('⋁', "bigvee"),
    ('∞', "infty"),
    ('×', "times"),
    ('⋅', "cdot"),
    ('≤', "leq"),
    ('≥', "geq"),
    ('∩', "cap"),
    ('∪', "cup"),
    ('…', "textellipsis"),
    ('±', "pm"),
    ('≠', "neq"),
    ('≈', "approx"),
    ('→', "rightarrow"),
];

/// Functions that LaTeX sets upright.
const FUNCTIONS: [&str; 18] = [
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log",
    "ln", "exp", "lim", "max", "min",
];

/// An equation; empty where nothing is in it.
pub(super) fn latex(equation: &Element<'_>) -> String {
    let mut out = String::new();
    inside(equation, &mut out);
    out.trim().to_owned()
}

fn inside(parent: &Element<'_>, out: &mut String) {
    for element in parent.elements() {
        one(element, out);
    }
}

/// What stands in a named child.
fn of(element: &Element<'_>, name: &str) -> String {
    element.child(name).map(latex).unwrap_or_default()
}

fn property<'a>(element: &'a Element<'_>, name: &str) -> Option<&'a str> {
    let properties = element.elements().find(|child| child.name.ends_with("Pr"))?;
    properties.value_of(name)
}

fn one(element: &Element<'_>, out: &mut String) {
    let part = |name: &str| of(element, name);
    let written = match element.name {
        "t" => symbols(&element.words()),
        "f" => fraction(element),
        "sSup" => format!("{}^{{{}}}", base(element), part("sup")),
        "sSub" => format!("{}_{{{}}}", base(element), part("sub")),
        "sSubSup" => format!("{}_{{{}}}^{{{}}}", base(element), part("sub"), part("sup")),
        "sPre" => format!("_{{{}}}^{{{}}}{}", part("sub"), part("sup"), base(element)),
        "rad" => match part("deg").as_str() {
            "" => format!("\\sqrt{{{}}}", part("e")),
            degree => format!("\\sqrt[{degree}]{{{}}}", part("e")),
        },
        "nary" => {
            let operator = symbols(property(element, "chr").unwrap_or("∫"));
            let (from, to, of) = (part("sub"), part("sup"), part("e"));
            format!("{}_{{{from}}}^{{{to}}}{of}", operator.trim())
        }
        "d" => delimited(element),
        "func" => format!("{}{}", function(&part("fName")), part("e")),
        "limLow" => format!("{}_{{{}}}", function(&part("e")), part("lim")),
        "limUpp" => format!("{}^{{{}}}", function(&part("e")), part("lim")),
        "groupChr" if property(element, "pos") == Some("top") => format!("\\overbrace{{{}}}", part("e")),
        "groupChr" => format!("\\underbrace{{{}}}", part("e")),
        "bar" => format!("\\overline{{{}}}", part("e")),
        "acc" => format!("\\hat{{{}}}", part("e")),
        "m" => matrix(element),
        "eqArr" => element.all("e").map(latex).collect::<Vec<_>>().join(" \\\\ "),
        name if name.ends_with("Pr") => String::new(),
        _ => return inside(element, out),
    };
    out.push_str(&written);
}

fn fraction(element: &Element<'_>) -> String {
    let (above, below) = (of(element, "num"), of(element, "den"));
    match property(element, "type") {
        Some("noBar") => format!("\\genfrac{{}}{{}}{{0pt}}{{}}{{{above}}}{{{below}}}"),
        Some("lin") => format!("{above}/{below}"),
        _ => format!("\\frac{{{above}}}{{{below}}}"),
    }
}

/// The base of an index; one that is itself composed is put in braces.
fn base(element: &Element<'_>) -> String {
    let base = of(element, "e");
    if base.contains('\\') && base.contains('{') {
        return format!("{{{base}}}");
    }
    base
}

fn delimited(element: &Element<'_>) -> String {
    let begin = property(element, "begChr").unwrap_or("(");
    let end = property(element, "endChr").unwrap_or(")");
    let separator = property(element, "sepChr").unwrap_or("|");
    let parts: Vec<String> = element.all("e").map(latex).collect();
    let bracket = |bracket: &str| match bracket {
        "" => ".".to_owned(),
        "{" | "}" => format!("\\{bracket}"),
        other => other.to_owned(),
    };
    let inner = parts.join(separator);
    format!("\\left{}{inner}\\right{}", bracket(begin), bracket(end))
}

fn matrix(element: &Element<'_>) -> String {
    let rows: Vec<String> = element
        .all("mr")
        .map(|row| row.all("e").map(latex).collect::<Vec<_>>().join(" & "))
        .collect();
    format!("\\begin{{matrix}}{}\\end{{matrix}}", rows.join(" \\\\ "))
}

fn function(name: &str) -> String {
    let name = name.trim();
    if FUNCTIONS.contains(&name) {
        return format!("\\{name}");
    }
    match FUNCTIONS
        .iter()
        .find(|function| name.starts_with(&format!("{function}_")))
    {
        Some(_) => format!("\\{name}"),
        None => name.to_owned(),
    }
}

/// Replaces characters by what LaTeX calls them, as words of their own.
fn symbols(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match SYMBOLS.iter().find(|(symbol, _)| *symbol == character) {
            Some((_, name)) => out.push_str(&format!(" \\{name} ")),
            None => out.push(plain(character)),
        }
    }
    out
}

/// A letter of the mathematical alphabets (U+1D400 to U+1D6A3) as the letter that it is.
fn plain(character: char) -> char {
    let code = u32::from(character);
    if character == 'ℎ' {
        return 'h';
    }
    if !(0x1D400..=0x1D6A3).contains(&code) {
        return character;
    }
    let place = (code - 0x1D400) % 52;
    let letter = if place < 26 {
        u32::from('A') + place
    } else {
        u32::from('a') + place - 26
    };
    char::from_u32(letter).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::super::xml::parse;
    use super::*;

    #[test]
    fn an_equation_keeps_its_structure() {
        let xml = "<m:oMath><m:r><m:t>𝐴=π</m:t></m:r><m:sSup><m:e><m:r><m:t>r</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r>\
                   </m:sup></m:sSup><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>n</m:t></m:r></m:den></m:f>\
                   <m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub><m:r><m:t>k=1</m:t></m:r></m:sub><m:sup/><m:e>\
                   <m:d><m:e><m:r><m:t>x</m:t></m:r></m:e></m:d></m:e></m:nary></m:oMath>";
        let tree = parse(xml).unwrap();
        assert_eq!(
            latex(tree.top().unwrap()),
            "A= \\pi r^{2}\\frac{1}{n}\\sum_{k=1}^{}\\left(x\\right)"
        );
    }
}
