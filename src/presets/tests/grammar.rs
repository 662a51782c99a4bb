use super::{PROMPTS, check, load};

/// A file of one recipe and these slots; must give exactly these complaints.
fn refuse(recipe: &str, slots: &str, expected: &[&str]) {
    let text = format!("recipes = [\"{recipe}\"]\n[slots]\n{slots}");
    check(&[("prompts/new.toml", &text)], expected);
}

#[test]
fn templates_are_checked_for_their_signs() {
    for (recipe, message) in [
        ("red {hat", "`{` stands without `}`"),
        ("red hat}", "`}` stands without `{`"),
        ("red [hat", "`[` stands without `]`"),
        ("red hat]", "`]` stands without `[`"),
        ("red [hat[, {hat}]]", "`[` stands inside `[`"),
        ("red [{hat]}", "`{` stands without `}`"),
        ("red {Hat}", "`{Hat}` is no slot"),
        ("red {}", "`{}` is no slot"),
        ("({hat}:1.2)", "'(' has no place in it"),
        ("red {hat}, @aya", "'@' has no place in it"),
        ("red\\n{hat}", "'\\n' has no place in it"),
    ] {
        refuse(recipe, "", &[&format!("prompts/new.toml: recipes[0]: {message}")]);
    }
}

#[test]
fn recipes_are_terms() {
    for (recipe, shape) in [
        ("red {hat},blue", "red word,blue"),
        ("red {hat}, ", "red word, "),
        ("red {hat}, , blue", "red word, , blue"),
        ("red  {hat}", "red  word"),
        ("[red, ]{hat},  blue", "word,  blue"),
        ("[{hat}]", ""),
        ("{hat}, -1", "word, -1"),
        ("{hat}, - red", "word, - red"),
        ("{hat}, --red", "word, --red"),
        (" {hat}", " word"),
    ] {
        refuse(
            recipe,
            "",
            &[&format!("prompts/new.toml: recipes[0]: it can become `{shape}`, which is not terms")],
        );
    }
    refuse(
        "{hat}[ a][ b][ c][ d][ e][ f][ g]",
        "",
        &["prompts/new.toml: recipes[0]: its brackets can come in more"],
    );
}

#[test]
fn slots_are_checked() {
    for (slot, complaint) in [
        ("x = []", "slots.x: must be a list of texts or a table of weights, with at least one, not []"),
        ("x = {}", "slots.x: must be a list of texts or a table of weights, with at least one"),
        ("x = 3", "slots.x: must be a list of texts or a table of weights, with at least one, not 3"),
        ("x = ['a', 'b', 'a']", "slots.x: `a` is there twice"),
        ("x = ['a', 3]", "slots.x: 3 is no text"),
        ("x = { a = 1, b = 0 }", "slots.x.b: a weight is an integer from 1 to 1000, not 0"),
        ("x = { a = 1, b = -4 }", "slots.x.b: a weight is an integer from 1 to 1000, not -4"),
        ("x = { a = 1, b = 1.5 }", "slots.x.b: a weight is an integer from 1 to 1000, not 1.5"),
        ("x = { a = 1, b = 1001 }", "slots.x.b: a weight is an integer from 1 to 1000, not 1001"),
        ("x = ['a', '-b']", "slots.x: `-b`: a slot's text begins with"),
        ("x = ['a', 'b, c']", "slots.x: `b, c`: a slot's text begins with"),
        ("x = ['a', '35']", "slots.x: `35`: a slot's text begins with"),
        ("x = ['a', ' b']", "slots.x: ` b`: a slot's text begins with"),
        ("x = ['a', '[b]']", "slots.x: `[b]`: a slot's text begins with"),
        ("x = ['a', '@aya']", "slots.x: `@aya`: '@' has no place in it"),
        ("x = ['a', '{y}']", "slots.x: there is no slot `y`"),
        ("'A b' = ['a', 'b']", "slots.A b: a key has only"),
    ] {
        refuse("red {hat}, blue", slot, &[&format!("prompts/new.toml: {complaint}")]);
    }
    refuse("red {scarf}", "", &["prompts/new.toml: recipes[0]: there is no slot `scarf`"]);
    refuse("red [{scarf}, ]{hat}", "", &["prompts/new.toml: recipes[0]: there is no slot `scarf`"]);
    refuse("red {hat}, x", "hat = ['fez', 'cap']", &["prompts/new.toml: slots.hat: is in all.toml as well"]);
}

#[test]
fn slots_may_not_lead_back_to_themselves() {
    refuse("red {a}", "a = ['{a}', 'x']", &["prompts/new.toml: slots.a: it leads back to itself: a > a"]);
    refuse(
        "red {a}",
        "a = ['{b}', 'x']\nb = ['y[ {c}]', 'z']\nc = ['{a}', 'w']",
        &["prompts/new.toml: slots.a: it leads back to itself: a > b > c > a"],
    );
    let chain: String = (0..9).map(|at| format!("s{at} = ['{{s{}}}', 'x']\n", at + 1)).collect();
    refuse(
        "red {s0}",
        &format!("{chain}s9 = ['y', 'z']"),
        &["prompts/new.toml: slots.s8: slots stand in each other more than 8 deep"],
    );
}

/// A dozen short slots could spell out more than there is memory for.
#[test]
fn prompts_have_an_end() {
    let double: String =
        (0..6).map(|at| format!("s{at} = ['{{s{0}}} {{s{0}}} {{s{0}}}', 'x']\n", at + 1)).collect();
    refuse(
        "red {s0}",
        &format!("{double}s6 = ['much', 'more']"),
        &["prompts/new.toml: recipes[0]: it can become 3648 bytes long; 1000 are allowed"],
    );
}

#[test]
fn a_recipe_makes_at_least_two_prompts() {
    let one = "prompts/new.toml: recipes[0]: it makes fewer than two prompts";
    refuse("red hat", "", &[one]);
    refuse("red {a}", "a = ['hat']", &[one]);
    refuse("red {a}", "a = ['{b}', '{c}']\nb = ['hat']\nc = ['hat']", &[one]);
    for (recipe, slots) in [
        ("red hat[, blue]", ""),
        ("red {a}", "a = ['hat', 'cap']"),
        ("red {a}", "a = ['{b}', 'x']\nb = ['hat']"),
    ] {
        let text = format!("recipes = [\"{recipe}\"]\n[slots]\n{slots}");
        assert_eq!(load(&[("prompts/new.toml", &text)]).unwrap().counts().recipes, 3, "{recipe}");
    }
}

#[test]
fn recipes_are_for_somebody_and_come_once() {
    refuse("@nobody {hat}", "", &["prompts/new.toml: recipes[0]: @nobody is not a character"]);
    refuse("@aya", "", &["prompts/new.toml: recipes[0]: it can become ``"]);
    refuse("red {hat}", "", &["prompts/new.toml: recipes[0]: the same recipe is there already"]);
    refuse("@AYA green {hat}", "", &["prompts/new.toml: recipes[0]: the same recipe is there already"]);
    check(
        &[("prompts/new.toml", "without_character = true\nrecipes = ['@aya {hat}']")],
        &["prompts/new.toml: recipes[0]: no character goes with the recipes of this file"],
    );
    check(
        &[(
            "prompts/all.toml",
            &format!("without_character = true\n{}", PROMPTS.replace(", '@aya green {hat}'", "")),
        )],
        &["prompts: at least one recipe must be without @name"],
    );
}
