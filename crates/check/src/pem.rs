//! Certificates and keys in PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a text in PEM should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Certificate,
    Key,
}

impl Part {
    /// As messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
        }
    }

    /// The end of the label of its block.
    fn label(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::Key => "PRIVATE KEY",
        }
    }

    /// What was expected.
    pub(crate) fn expected(self) -> String {
        format!("expected `-----BEGIN {}-----`", self.label())
    }

    /// What is probably the matter with bytes that do not hold it; nothing where they do, or where something fills them in.
    pub(crate) fn misfit(self, bytes: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(bytes);
        let own = labels(&text);
        let is_filled_in = || text.trim().is_empty() || text.contains("${");
        if is_filled_in() || own.iter().any(|own| own.ends_with(self.label())) {
            return None;
        }
        let compact: String = text.split_whitespace().collect();
        let is_twice = STANDARD.decode(compact).is_ok_and(|inner| !labels(&String::from_utf8_lossy(&inner)).is_empty());
        Some(if is_twice {
            "it is PEM encoded once too often: encode the file itself, and once".to_owned()
        } else if let Some(other) = own.first() {
            format!("it holds `{other}`: see that certificate and key are not in each other's place")
        } else if text.contains("-----BEGIN ") {
            "what stands between its lines is cut or changed: copy the file whole, with its line breaks".to_owned()
        } else {
            "`kubectl create secret tls NAME --cert=FILE --key=FILE --dry-run=client -o yaml` shows how it looks"
                .to_owned()
        })
    }
}

/// The labels of all blocks of PEM in a text: `pem.Decode` of Go. What is in certificates and keys begins as a sequence of DER.
fn labels(text: &str) -> Vec<&str> {
    const SEQUENCE: u8 = 0x30;
    let mut labels = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = rest.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----")) {
        rest = after;
        let Some((body, after)) = rest.split_once(&format!("-----END {label}-----")) else { continue };
        // Lines with a colon are headers; a key with headers may be encrypted.
        let is_plain = !body.contains(':');
        let body: String = body.lines().filter(|line| !line.contains(':')).flat_map(str::split_whitespace).collect();
        if STANDARD
            .decode(body)
            .is_ok_and(|bytes| bytes.first() == Some(&SEQUENCE) || !is_plain || label.contains("OPENSSH"))
        {
            labels.push(label);
            rest = after;
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_keys() {
        let block = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let certificate = block("CERTIFICATE", "MIIBcDCCAReg");
        for (text, part, help) in [
            (certificate.clone(), Part::Certificate, None),
            (format!("Bag Attributes\n{certificate}{certificate}"), Part::Certificate, None),
            (String::new(), Part::Key, None),
            (block("EC PRIVATE KEY", "MIIBcDCCAReg"), Part::Key, None),
            (block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA"), Part::Key, None),
            (certificate.clone(), Part::Key, Some("each other's place")),
            (STANDARD.encode(&certificate), Part::Certificate, Some("once too often")),
            (block("CERTIFICATE", "YWJj"), Part::Certificate, Some("cut or changed")),
            (block("CERTIFICATE", "MIIBcDCCARe"), Part::Certificate, Some("cut or changed")),
            (certificate.replace("-----END", "----END"), Part::Certificate, Some("cut or changed")),
            ("changeme".to_owned(), Part::Key, Some("shows how it looks")),
        ] {
            let said = part.misfit(text.as_bytes());
            match help {
                None => assert_eq!(said, None, "{text}"),
                Some(help) => assert!(said.as_ref().is_some_and(|said| said.contains(help)), "{text}: {said:?}"),
            }
        }
    }
}
