//! Files beside the stack, and what stands for a file elsewhere.

use super::{number_unit, text_unit};

/// Whether a folder or file is called so that a path reads the same everywhere.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

text_unit! {
    /// A file below the folder of the stack: folders and a name, joined by `/`.
    FilePath,
    expected: "a path such as `dashboards/mine.json`, below the folder of the stack",
    pattern: r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
    check: |text| {
        if text.split('/').any(|part| part == "..") {
            Err("a path that leaves the folder of the stack")
        } else if text.starts_with('/') {
            Err("a path of one machine")
        } else if text.split('/').all(is_plain) {
            Ok(())
        } else {
            Err("")
        }
    }
}

text_unit! {
    /// Another stack file: its path from the folder of the one that names it.
    LayerPath,
    expected: "a path such as `../base.yaml`, from the folder of this file",
    pattern: r"^(\.\./)*[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
    check: |text| {
        if text.starts_with('/') {
            return Err("a path of one machine");
        }
        let below = text.split('/').skip_while(|part| *part == "..");
        if below.clone().count() > 0 && below.into_iter().all(is_plain) { Ok(()) } else { Err("") }
    }
}

number_unit! {
    /// The number of a dashboard on grafana.com.
    DashboardId, 1 to 65535, expected: "the number of a dashboard on grafana.com, such as 13332"
}

number_unit! {
    /// A revision of a dashboard on grafana.com.
    DashboardRevision, 1 to 9999, expected: "the revision of a dashboard, such as 12"
}

text_unit! {
    /// A folder of a container's file system.
    FolderOfContainer,
    expected: "a folder such as `/var/cache/nginx`, without a slash at the end",
    pattern: r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
    check: |text| {
        match text.strip_prefix('/') {
            None => Err("no `/` at the start"),
            Some("") => Err("the whole file system"),
            Some(rest) if rest.split('/').all(is_plain) => Ok(()),
            Some(_) => Err(""),
        }
    }
}

number_unit! {
    /// The number of a user in a container.
    UserId, 0 to 65535, expected: "the number of a user, from 0 to 65535"
}
