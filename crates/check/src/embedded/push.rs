//! Where collectors send logs to, and Loki alerts.

use super::file::Syntax;
use super::syntax::Read;
use crate::fields::items;
use crate::finding::Findings;
use crate::references::rule_of;
use crate::rule::rules;
use crate::world::World;

rules! {
    PUSH "collector-url" Error Program "the Service and port that log collectors send to exist"
    RULER "ruler-alertmanager" Error Program "the Service and port that Loki's ruler sends alerts to exist"
}

pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    for Read { file, documents } in read {
        if file.syntax == Syntax::Alloy {
            for attribute in vigil_alloy::attributes(&file.source).unwrap_or_default() {
                let [block, .., inner] = attribute.blocks.as_slice() else { continue };
                let is_push = matches!(block.as_str(), "loki.write" | "prometheus.remote_write") && inner == "endpoint";
                if is_push
                    && attribute.name == "url"
                    && let Some(wrong) = world.address(&attribute.text, Some(file.object.namespace))
                {
                    let rule = rule_of(&wrong, &PUSH);
                    file.add_at(rule, &attribute.span, wrong.message, findings).append(wrong.label, wrong.help);
                }
            }
        }
        for root in documents {
            if let Some(url) = root.at(&["ruler", "alertmanager_url"])
                && world.readers(&file.object).any(|reader| reader.name == "loki")
            {
                // Names of SRV records, which are asked for otherwise, are none of a Service.
                let urls = url.text().into_iter().flat_map(|text| text.split(',').map(str::trim));
                for wrong in urls.filter_map(|url| world.address(url, Some(file.object.namespace))) {
                    let rule = rule_of(&wrong, &RULER);
                    file.add(rule, root, url, wrong.message, findings).append(wrong.label, wrong.help);
                }
            }
            let client = root.get("client").into_iter();
            for client in items(root, "clients").iter().chain(client) {
                // Clients of something else have addresses, too.
                let is_loki = |url: &str| url.contains("/loki/api/");
                let is_read = || world.readers(&file.object).any(|reader| reader.name == "promtail");
                let Some(url) = client.get("url") else { continue };
                let Some(text) = url.text().filter(|url| is_loki(url) || is_read()) else { continue };
                if let Some(wrong) = world.address(text, Some(file.object.namespace)) {
                    let rule = rule_of(&wrong, &PUSH);
                    file.add(rule, root, url, wrong.message, findings).append(wrong.label, wrong.help);
                }
            }
        }
    }
}
