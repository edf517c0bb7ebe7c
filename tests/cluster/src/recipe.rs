//! The steps of the justfile, for machines that have no `just`.

use crate::failure::{Context, Failure, Result};
use crate::stacks::root;
use std::fs;

/// The shell script of a recipe, without the recipes that it depends on.
pub(crate) fn script(recipe: &str) -> Result<String> {
    let path = root().join("justfile");
    body(&fs::read_to_string(&path).context(path.display())?, recipe)
        .ok_or_else(|| Failure::new(format!("the justfile has no recipe `{recipe}`")))
}

fn body(justfile: &str, recipe: &str) -> Option<String> {
    let head = format!("{recipe}:");
    let mut lines = justfile.lines().skip_while(|line| !line.starts_with(&head));
    lines.next()?;
    let steps = lines.map_while(|line| line.strip_prefix("    "));
    Some(steps.flat_map(|line| [line.strip_prefix('@').unwrap_or(line), "\n"]).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_recipe_ends_where_its_indentation_does() {
        let justfile = "a: b\n    @one \\\n        two\n    three\n\n# c\nc:\n    four\n";
        assert_eq!(super::body(justfile, "a").as_deref(), Some("one \\\n    two\nthree\n"));
        assert_eq!(super::body(justfile, "c").as_deref(), Some("four\n"));
        assert_eq!(super::body(justfile, "d"), None);
    }

    #[test]
    fn the_justfile_has_what_the_proofs_run() {
        assert!(super::script("apply").unwrap().contains("kubectl apply -k manifests\n"));
        assert!(super::script("delete").unwrap().starts_with("kubectl delete -k manifests"));
    }
}
