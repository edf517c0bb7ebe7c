//! What is known of single programs: what their probes say, how much memory they take, and when they read.

use super::super::judge::Judge;
use super::pod::{Pod, Role};
use crate::fields::{BILLION, amount, items, written};
use crate::rule::rules;
use crate::world::program::Program;
use vigil_yaml::{Node, Quoted};

rules! {
    LIVENESS "container-probe-liveness" Warning Nobody "no liveness probe asks a readiness endpoint"
    MEMORY "go-memory-limit" Warning Nobody "`GOMEMLIMIT` is below the memory limit of its container"
    LATE "grafana-datasource-late" Warning Nobody "data sources are there when Grafana starts, or Grafana is asked to reload them"
}

/// The end of the path that Grafana reads data sources from.
const DATA_SOURCES: &str = "provisioning/datasources";

/// Programs that are alive, and not ready, as long as they read their data or wait for others.
struct Waiting {
    /// As their images are called.
    names: &'static [&'static str],
    /// Where they say that they are ready.
    ready: &'static str,
    /// Where they say that they are alive, whatever they wait for.
    alive: Option<&'static str>,
    /// Why they may not be ready.
    until: &'static str,
}

/// Read in the programs' sources.
const WAITING: [Waiting; 6] = [
    Waiting {
        names: &["loki", "tempo", "mimir", "cortex", "pyroscope"],
        ready: "/ready",
        alive: None,
        until: "its log is replayed and its part of the ring is active",
    },
    Waiting {
        names: &["prometheus", "thanos"],
        ready: "/-/ready",
        alive: Some("/-/healthy"),
        until: "its data is read",
    },
    Waiting { names: &["promtail"], ready: "/ready", alive: None, until: "it has found a log to read" },
    Waiting { names: &["alloy", "agent"], ready: "/-/ready", alive: None, until: "its configuration is loaded" },
    Waiting {
        names: &["metrics-server", "kube-state-metrics"],
        ready: "/readyz",
        alive: Some("/livez"),
        until: "it has asked the cluster",
    },
    Waiting {
        names: &["etcd", "kube-apiserver"],
        ready: "/readyz",
        alive: Some("/livez"),
        until: "the members of etcd have a leader",
    },
];

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    for (role, container) in &pod.containers {
        let Some(program) = Program::of(container) else { continue };
        if matches!(role, Role::Main | Role::Sidecar) {
            liveness(judge, &program);
        }
        go_memory(judge, &program);
    }
    data_sources(judge, pod);
}

/// A liveness probe must not ask for what only a readiness probe may: whether all that a program waits for is there.
fn liveness(judge: &mut Judge<'_, '_>, program: &Program<'_>) {
    let asked = program.container.at(&["livenessProbe", "httpGet", "path"]);
    let Some((node, path)) = asked.and_then(|node| Some((node, node.text()?))) else { return };
    let mut waiting = WAITING.iter().filter(|waiting| waiting.names.contains(&program.name));
    // In front of it may be the path of an Ingress.
    let Some(waiting) = waiting.find(|waiting| path.ends_with(waiting.ready)) else { return };
    let message = format!("a liveness probe asks {} whether it is ready", Quoted(program.name));
    let room = format!("ask {} in a `startupProbe` with room for that", Quoted(path));
    let help = match waiting.alive {
        Some(alive) => format!("{room}, and `{alive}` in the liveness probe"),
        None => format!("{room} and in the `readinessProbe`, and leave out the liveness probe"),
    };
    judge
        .add(&LIVENESS, node, message)
        .label(format!("it is not until {}: if that takes long, it is killed and begins again", waiting.until))
        .help(help);
}

/// What Go's runtime takes for the value of `GOMEMLIMIT`, in bytes; `None` for no limit.
fn go_limit(text: &str) -> Result<Option<i128>, ()> {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0)];
    if text.is_empty() || text == "off" {
        return Ok(None);
    }
    let known = units.into_iter().find_map(|(unit, power)| text.strip_suffix(unit).map(|number| (number, power)));
    let (number, power) = known.ok_or(())?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = Some(number).filter(|_| digits).and_then(|number| number.parse().ok()).ok_or(())?;
    Ok(Some(i128::from(number) << power))
}

/// Go collects garbage so as to stay below its own limit; one that the container's limit forbids it never reaches.
fn go_memory(judge: &mut Judge<'_, '_>, program: &Program<'_>) {
    let Some(node) = program.variable("GOMEMLIMIT").and_then(|variable| variable.get("value")) else { return };
    let text = written(node);
    // Of other variables, which may come from anywhere.
    if text.contains("$(") {
        return;
    }
    let limit = program.memory_limit();
    match (go_limit(text), limit) {
        (Err(()), _) => {
            judge
                .add(&MEMORY, node, format!("{} is no `GOMEMLIMIT`", Quoted(text)))
                .label("expected bytes, such as `900MiB`")
                .help("a program of Go does not start with it; its units are `B`, `KiB`, `MiB`, `GiB` and `TiB`");
        }
        (Ok(Some(own)), Some(limit)) if amount(limit).is_some_and(|limit| 0 < limit && limit <= own * BILLION) => {
            judge
                .add(&MEMORY, node, format!("`GOMEMLIMIT` is {}", Quoted(text)))
                .label(format!("expected less than the container's memory limit of {}", Quoted(written(limit))))
                .help("set it to nine tenths of that: the limit counts what is not Go's, too");
        }
        _ => {}
    }
}

/// The volumes that a container mounts: the name of each, and where.
fn mounts(container: &Node) -> impl Iterator<Item = (&str, &str)> {
    items(container, "volumeMounts")
        .iter()
        .filter_map(|mount| Some((mount.get("name")?.text()?, mount.get("mountPath")?.text()?.trim_end_matches('/'))))
}

/// Whether the containers behind it wait until it has done its work.
fn is_waited_for((role, container): &(Role, &Node)) -> bool {
    match role {
        Role::Init => true,
        Role::Sidecar => container.get("startupProbe").is_some_and(|probe| !probe.is_null()),
        Role::Main | Role::Ephemeral => false,
    }
}

/// Grafana reads the folder of its data sources when it starts, and again only when it is asked to. A side-car that
/// starts beside it may be later.
fn data_sources(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    let grafana = pod.containers.iter().filter_map(|(_, container)| Program::of(container)).find(Program::is_grafana);
    let Some(grafana) = grafana else { return };
    let mut folders = mounts(grafana.container).filter(|(_, path)| path.ends_with(DATA_SOURCES));
    let Some((volume, _)) = folders.next() else { return };
    let writes = |container: &Node| mounts(container).any(|(name, _)| name == volume);
    if pod.containers.iter().any(|found| is_waited_for(found) && writes(found.1)) {
        return;
    }
    for (_, container) in pod.containers.iter().filter(|(_, container)| writes(container)) {
        let Some(side_car) = Program::of(container).filter(|program| program.value("FOLDER").is_some()) else {
            continue;
        };
        let is_true = |value: &&Node| value.text().is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let skips = side_car.variable("REQ_SKIP_INIT").and_then(|variable| variable.get("value")).filter(is_true);
        if skips.is_none() && side_car.variable("REQ_URL").is_some() {
            continue;
        }
        let name = container.get("name").and_then(Node::text).unwrap_or_default();
        let message = format!("Grafana may start before {} has written its data sources", Quoted(name));
        let finding = match skips {
            Some(value) => {
                judge.add(&LATE, value, message).label("so Grafana is not asked to read what is written first")
            }
            None => {
                judge.within(&LATE, container, message).label("without `REQ_URL` Grafana is not asked to read again")
            }
        };
        finding.help(
            "run the same container as an init container, too, with `METHOD: LIST` and without `REQ_URL`; Grafana reads \
             data sources when it starts",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken_in;
    use super::{LATE, LIVENESS, MEMORY};

    #[test]
    fn liveness_that_asks_for_readiness() {
        for (image, probe, times) in [
            ("grafana/loki:3.7.8", "livenessProbe: {httpGet: {path: /ready, port: 3100}}", 1),
            ("grafana/loki", "livenessProbe: {httpGet: {path: /loki/ready, port: 3100}}", 1),
            ("grafana/loki:3.7.8", "readinessProbe: {httpGet: {path: /ready, port: 3100}}", 0),
            ("grafana/loki:3.7.8", "livenessProbe: {tcpSocket: {port: 3100}}", 0),
            ("grafana/loki:3.7.8", "livenessProbe: {httpGet: {path: /metrics, port: 3100}}", 0),
            ("quay.io/prometheus/prometheus@sha256:0", "livenessProbe: {httpGet: {path: /p/-/ready, port: web}}", 1),
            ("quay.io/prometheus/prometheus:v3.8.1", "livenessProbe: {httpGet: {path: /-/healthy, port: web}}", 0),
            ("example.com/loki-gateway:1", "livenessProbe: {httpGet: {path: /ready, port: 80}}", 0),
            ("example.com/app:1", "livenessProbe: {httpGet: {path: /ready, port: 80}}", 0),
        ] {
            broken_in(&format!("{{containers: [{{name: a, image: '{image}', {probe}}}]}}"), &LIVENESS, times);
        }
    }

    #[test]
    fn memory_limits_of_go() {
        let of = |value: &str, limit: &str, times: usize| {
            let env = format!("env: [{{name: GOMEMLIMIT, value: {value}}}]");
            let resources = format!("resources: {{limits: {{{limit}}}}}");
            broken_in(&format!("{{containers: [{{name: a, image: a:1, {env}, {resources}}}]}}"), &MEMORY, times);
        };
        for (value, limit, times) in [
            ("900MiB", "memory: 1Gi", 0),
            ("1024MiB", "memory: 1Gi", 1),
            ("4GiB", "memory: 1Gi", 1),
            ("'1000000000'", "memory: 1G", 1),
            ("'999999999'", "memory: 1G", 0),
            ("'999999999B'", "memory: 1e9", 0),
            ("4GiB", "cpu: 1", 0),
            ("4GiB", "memory: 0", 0),
            ("'off'", "memory: 1Gi", 0),
            ("''", "memory: 1Gi", 0),
            ("900Mi", "memory: 1Gi", 1),
            ("1GB", "cpu: 1", 1),
            ("'-1'", "cpu: 1", 1),
            ("1.5GiB", "cpu: 1", 1),
            ("'99999999999999999999'", "cpu: 1", 1),
            ("$(LIMIT)", "memory: 1Gi", 0),
        ] {
            of(value, limit, times);
        }
        let reference = "{name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {resource: limits.memory}}}";
        let spec = format!("{{containers: [{{name: a, image: a:1, env: [{reference}]}}]}}");
        broken_in(&spec, &MEMORY, 0);
    }

    #[test]
    fn data_sources_that_may_come_late() {
        let mount =
            |name: &str| format!("volumeMounts: [{{name: {name}, mountPath: /etc/grafana/provisioning/datasources/}}]");
        let grafana = format!("{{name: grafana, image: grafana/grafana:12.3.1, {}}}", mount("d"));
        let car = |env: &str, volume: &str, more: &str| {
            format!(
                "{{name: a, image: k8s-sidecar:2.1.2, env: [{{name: FOLDER, value: /d}}, {env}], {}{more}}}",
                mount(volume)
            )
        };
        let url = "{name: REQ_URL, value: http://a}";
        let skips = format!("{url}, {{name: REQ_SKIP_INIT, value: 'True'}}");
        let list = car("{name: METHOD, value: LIST}", "d", "");
        let going_on = ", restartPolicy: Always";
        let watched = ", restartPolicy: Always, startupProbe: {tcpSocket: {port: 8080}}";
        for (init, containers, times) in [
            ("", vec![car(&skips, "d", ""), grafana.clone()], 1),
            ("", vec![car("{name: METHOD, value: WATCH}", "d", ""), grafana.clone()], 1),
            ("", vec![car(url, "d", ""), grafana.clone()], 0),
            ("", vec![car(&skips, "another", ""), grafana.clone()], 0),
            ("", vec![car(&skips, "d", "")], 0),
            (list.as_str(), vec![car(&skips, "d", ""), grafana.clone()], 0),
            (&car(&skips, "d", going_on), vec![grafana.clone()], 1),
            (&car(&skips, "d", watched), vec![grafana.clone()], 0),
        ] {
            let spec = format!("{{initContainers: [{init}], containers: [{}]}}", containers.join(", "));
            broken_in(&spec, &LATE, times);
        }
    }
}
