//! One table per unit: what is taken, what is refused.

use super::*;
use std::fmt::Debug;
use std::str::FromStr;

fn table<T: FromStr<Err = String> + Debug>(good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(text.parse::<T>().is_ok(), "{text:?} is refused: {:?}", text.parse::<T>());
    }
    for text in bad {
        assert!(text.parse::<T>().is_err(), "{text:?} is taken");
    }
}

#[test]
fn durations() {
    table::<Duration>(
        &["0", "10d", "1h30m", "1y2w3d4h5m6s7ms", "15s", "100ms"],
        &["", "10", "10 d", "1m1h", "1.5h", "-1d", "d", "10D", "1h1h", "99999999999999999999d", "300y", "1µs", "٣d"],
    );
    let hours = |text: &str| text.parse::<Duration>().unwrap().as_hours();
    assert_eq!((hours("7d"), hours("1w1h"), hours("90m"), hours("0")), (Some(168), Some(169), None, Some(0)));
    let go = ["7d", "90m", "1h1s", "1500ms", "0"].map(|text| text.parse::<Duration>().unwrap().as_go());
    assert_eq!(go, ["168h", "90m", "3601s", "1500ms", "0h"]);
}

#[test]
fn sizes() {
    table::<ByteSize>(
        &["0", "1GiB", "512MB", "10B", "1.5TB", ".5GB", "1EiB"],
        &["", "1", "1Gi", "1 GiB", "GiB", "-1GB", "1gib", "1iB", "1.GB", "1.2.3GB", "B", "8EiB", "9999999999TB"],
    );
}

#[test]
fn sizes_in_bytes() {
    let bytes = |text: &str| text.parse::<ByteSize>().unwrap().as_bytes();
    let all = ["0", "10B", "1KB", "1.5GiB", "1EB"].map(bytes);
    for (found, expected) in all.into_iter().zip([0.0, 10.0, 1024.0, 1_610_612_736.0, 1_152_921_504_606_846_976.0]) {
        assert!((found - expected).abs() < 1.0, "{found} is not {expected}");
    }
}

#[test]
fn quantities() {
    table::<Quantity>(
        &["0", "100m", "1.5", "256Mi", "1e3", "1E-2", ".5", "5.", "4Ki", "1E"],
        &["", "m", "-1", "1 Gi", "1GB", "1mi", "1ei", "e3", "1e", "1e+", "1.2.3", ".", "1KI", "0x10"],
    );
    let value = |text: &str| text.parse::<Quantity>().unwrap().as_thousandths();
    assert!(value("100m") < value("1") && value("1Gi") > value("1G") && value("1e3") > value("999"));
}

#[test]
fn kubernetes_versions() {
    table::<KubernetesVersion>(
        &["1.29", "1.30", "1.36"],
        &["1.28", "1.9", "2.0", "1.29.3", "v1.29", "1.+29", "1.", ""],
    );
}

#[test]
fn names() {
    let long = "a".repeat(64);
    table::<DnsLabel>(&["a", "my-loki", "0a", &long[1..]], &["", "A", "-a", "a-", "a.b", "a_b", &long, "ä", "a\n"]);
    table::<DnsSubdomain>(&["a.b-c.d", "example.com"], &["", "a..b", ".a", "a.", "A.b", "a b", "*.a"]);
    table::<LabelKey>(&["team", "example.com/team", "a_b.C"], &["", "/a", "a/", "a/b/c", "Example.com/a", "-a", &long]);
    table::<FreeLabelKey>(
        &["team", "example.com/component"],
        &["", "-a", "app.kubernetes.io/name", "rbac.authorization.k8s.io/aggregate-to-admin", "k8s-app", "release"],
    );
    table::<GitUrl>(
        &[
            "https://a.example.com/b.git",
            "http://a:8080/b",
            "ssh://git@a.example.com:22/b.git",
            "ssh://a/b",
            "git@a.example.com:b/c.git",
            "git@a:/b",
        ],
        &[
            "",
            "a",
            "https://u:p@a/b",
            "ssh://u:p@a/b",
            "ssh://git@a",
            "git@a:",
            "git@a/b",
            "ftp://a/b",
            "ssh://git@a/b c",
            "@a:b",
        ],
    );
    table::<OciUrl>(
        &["oci://a.example.com/b", "oci://a:5000/b/c-d_e.f"],
        &["", "a/b", "oci://a", "oci://a/", "oci://a/b:1", "oci://u:p@a/b", "oci://a/B", "oci://a/b?c", "docker://a/b"],
    );
    table::<StackName>(
        &["a", "team-a", "a2345678901234567890"],
        &["", "1a", "-a", "a-", "A", "a.b", "a23456789012345678901"],
    );
    table::<LoadBalancerClass>(&["internal", "example.com/internal"], &["", "-a", "a/b/c", "a b"]);
    table::<LabelValue>(&["", "on", "1.2.3", "A_b-c"], &["-", "a b", "ä", &long, "a/b", "a:b"]);
    table::<AnnotationKey>(&["app.kubernetes.io/name"], &["a/b/c", ""]);
    table::<AnnotationValue>(
        &["", "any: {thing} # \"'\n\t"],
        &["\0", "\u{1b}[31m", "\u{202e}", "\u{2066}x", "\u{7f}", &"a".repeat(4097)],
    );
}

#[test]
fn network() {
    table::<IpAddress>(&["10.0.0.1", "::1", "fe80::1"], &["", "10.0.0", "10.0.0.256", "010.0.0.1", "a", "10.0.0.0/8"]);
    table::<Cidr>(
        &["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.168.1.1/32", "::1/128"],
        &["10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08", "::/129", "10.0.0.0/", "/8", "10.0.0.0/+8"],
    );
    table::<Url>(
        &["http://a", "https://grafana.example.com/x?y=1#z", "http://[::1]:3000/", "http://10.0.0.1:80"],
        &[
            "",
            "a.b",
            "ftp://a",
            "http://",
            "http:///x",
            "http://u:p@h/",
            "http://h:0",
            "http://h:99999",
            "http://a b",
            "http://h/\"x",
            "http://h/\n",
            "http://[::x]/",
            "javascript:alert(1)",
        ],
    );
    table::<HttpPath>(&["/", "/a", "/a/b.c"], &["", "a", "/a/", "//", "/a b", "/a(/|$)", "/..", "/a/./b", "/{{x}}"]);
}

#[test]
fn logs() {
    table::<StreamSelector>(&[r#"{a="b"}"#], &["", "{}", "a"]);
    table::<JsonPath>(&["level", r#"a."user-agent"[0]"#], &["", "user-agent", "a."]);
    table::<LogfmtKey>(&["level", "trace-id"], &["", "a b", "a=b"]);
    table::<TimeLayout>(&["RFC3339", "2006-01-02 15:04:05"], &["", "%H:%M", "YYYY-MM-DD HH:mm"]);
    table::<TenantId>(&["shop", "team-1_x.y", "it's(1)*!"], &["", ".", "..", "a b", "a|b", "a/b", &"a".repeat(151)]);
}

#[test]
fn storage() {
    let longest = "a".repeat(63);
    table::<BucketName>(
        &["acme-logs", "logs.acme", "logs_1", "abc", &longest],
        &["", "ab", "Logs", "-ab", "ab-", "a/b", &"a".repeat(64)],
    );
    table::<AzureAccount>(&["acmelogs1"], &["", "ab", "acme-logs", "Acme", &"a".repeat(25)]);
    table::<Endpoint>(
        &["s3.eu-central-1.amazonaws.com", "s3.example.com:9000", "10.0.0.1:9000", "[::1]:9000", "minio"],
        &["", "https://s3.example.com", "s3.example.com/logs", "u:p@h", "h:0", "a b", "h:99999", "a_b"],
    );
    table::<Date>(&["2026-01-31", "2024-02-29"], &["", "2026-1-1", "2026-02-29", "01-01-2026", "today"]);
}

#[test]
fn git() {
    table::<GitRevision>(
        &["main", "v1.2.0", "release/1.2", "0123456789abcdef", "HEAD"],
        &["", "-x", "a b", "a..b", "a//b", "/a", "a/", "a.", "a~1", "ä"],
    );
    table::<FolderPath>(
        &["manifests", "clusters/a.b/manifests", ".gitops/x"],
        &["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "a\\b"],
    );
}

#[test]
fn images() {
    let digest = format!("nginx@sha256:{}", "a".repeat(64));
    table::<Image>(
        &[
            "nginx:1.29",
            "docker.io/grafana/loki:3.7.8",
            "localhost:5000/a/b:1",
            "a.b/c-d__e:v1",
            &digest,
            &digest.replace('@', ":1.29@"),
            &digest.replace('@', ":latest@"),
            "registry.k8s.io/x/x:v2_3",
        ],
        &[
            "",
            "nginx",
            "nginx:latest",
            "nginx:",
            "NGINX:1",
            "ng inx:1",
            ":1",
            "a//b:1",
            "a/:1",
            "nginx:-1",
            "a:b:c",
            "nginx@sha256:abc",
            "nginx@md5:aaaa",
            "http://a/b:1",
            "a/b:1\n",
            "a..b:1",
            "host:0/a:1",
            "../a:1",
        ],
    );
    table::<Registry>(
        &["registry.example.com", "registry.example.com:5000/a/b", "localhost", "10.0.0.1:5000"],
        &["", "mirror", "https://registry.example.com", "registry.example.com/", "registry.example.com/A", "a.b:x"],
    );
    let image: Image = "localhost:5000/grafana/loki:3.7.8".parse().unwrap();
    assert_eq!(
        (image.registry(), image.repository(), image.tag(), image.digest()),
        (Some("localhost:5000"), "grafana/loki", Some("3.7.8"), None)
    );
}

#[test]
fn files() {
    table::<FilePath>(
        &["a.json", "dashboards/a-b_c.json"],
        &["", "/a", "a/", "../a", "a/../b", "./a", ".a", "a b", "a\\b", "a//b", "C:/a", "a\n"],
    );
    table::<LayerPath>(
        &["a.yaml", "../a.yaml", "../../layers/a-b_c.yaml"],
        &["", "..", "../", "/a", "a/../b", "./a", ".a", "../.a", "a b", "a//b", "C:/a"],
    );
}

#[test]
fn alerting() {
    table::<MetricLabel>(&["cluster", "_a", "a1"], &["", "__a", "1a", "a-b", "a.b", "ä"]);
    table::<GroupLabel>(&["namespace", "...", "__a"], &["", "..", "a-b"]);
    table::<ReceiverName>(&["null", "on-call", "a.b_C"], &["", "a b", "a/b", "ä", &"a".repeat(64)]);
    table::<Matcher>(
        &[
            "severity = critical",
            "a=b",
            "a=~b|c",
            "a!~\"b c\"",
            "a != \"\"",
            "a=\"\\\"\"",
            "a =~ \"team-.*\"",
            "a =~ team-.*",
        ],
        &[
            "",
            "a",
            "a=",
            "=b",
            "a = b c",
            "a=b=c",
            "a=\"b",
            "a=\"b\" c",
            "a=\"\"\"",
            "a=\"\\d\"",
            "a={b}",
            "a=b,c=d",
            "a-b=c",
        ],
    );
    table::<Line>(&["", "#alerts", "ä b"], &["a\nb", "\u{7f}"]);
    table::<Email>(&["a@b", "on-call+x@example.com"], &["", "a", "@b", "a@", "a@b@c", "a b@c", "A <a@b>", "a@b,c@d"]);
    table::<HostPort>(
        &["smtp.example.com:587", "Relay:25", "10.0.0.1:9100", "[2001:db8::1]:9100"],
        &["", "a", "a:", "a:0", "a:+1", "a:70000", ":25", "a:b:1", "2001:db8::1:9100", "[a]:1", "u@a:1", "http://a:1"],
    );
    table::<Expression>(&["", "go_.*|process_.*", "a{2}", r"\d+"], &["(", "[a", "a)", "*", "(?=a)", "a\n", r"\1"]);
    table::<Authorization>(&["Bearer", "X-y"], &["", "Basic", "basic", "a b", "a\n"]);
    table::<SecretKey>(&["a", ".b", "a.b_C-1"], &["", ".", "..", "..a", "a/b", "a b", &"a".repeat(254)]);
}

#[test]
fn paths_of_urls() {
    let path = |text: &str| text.parse::<Url>().unwrap().path().to_owned();
    assert_eq!(path("https://a.b"), "");
    assert_eq!(path("https://a.b/"), "");
    assert_eq!(path("https://a.b:1/c/d/?e=/f#/g"), "/c/d");
}

#[test]
fn settings() {
    table::<SettingName>(&["auth.generic_oauth", "root_url", "a-b"], &["", "a b", "a]", "a=b", "ä"]);
    table::<PluginVersion>(
        &["grafana-clock-panel@2.1.8", "a@1.0.0-rc.1+b"],
        &["", "a", "a@", "@1", "a@v1", "A@1", "a@1 2", "a@1,b@2", "a@1@2"],
    );
    table::<FolderName>(&["Shop", "Zahlungen & Löhne"], &["", ".", "..", "a/b", "/a", " a", "a\nb", ".a"]);
    table::<PluginName>(&["postgres", "grafana-x-datasource"], &["", "-a", "A", "a b", "a/b"]);
    table::<SettingValue>(
        &["", "true", "10", "a; b # c", "contains(groups[*], 'admin') && 'Admin' || 'Viewer'"],
        &["a\nb", " a", "$__file{/x}", "${X}", "%(x)s", "$(X)", &"x".repeat(4097)],
    );
}

#[test]
fn what_the_checker_is_told() {
    table::<RuleName>(&["schema-type", "yaml"], &["", "Schema", "schema_type", "-x", "1x"]);
    table::<KindName>(&["Secret", "APIService"], &["", "secret", "Sec ret", "9"]);
    table::<ObjectName>(&["a", "system:node", "A.b"], &["", ".", "..", "a/b", "a b", "50%", &"x".repeat(254)]);
    table::<ObjectTitle>(
        &["Namespace mymonitoring", "Deployment mymonitoring/grafana", "ClusterRole system:node"],
        &["", "Deployment", "grafana", "Deployment a/b/c", "Deployment /a", "deployment a/b", "Deployment  a"],
    );
    table::<Pointer>(&["/a", "/a/0/-", "/a/b~1c~0d", "/"], &["", "a", "a/b", "/a~", "/a~2", "/\n"]);
    table::<Reason>(&["because", " x "], &["", " ", "a\nb", &"x".repeat(1025)]);
}
