//! What node-exporter can tell of a Linux node.
//!
//! Source: the calls of `registerCollector` in node-exporter 1.10.2, as Linux builds it.

use super::choice;

choice! {
    /// A collector of node-exporter.
    #[serde(rename_all = "snake_case")]
    pub enum NodeCollector {
        /// Neighbours by device.
        Arp,
        /// Caches in front of disks.
        Bcache,
        /// Network devices that are several.
        Bonding,
        /// File systems of Btrfs.
        Btrfs,
        /// Free pages by size.
        Buddyinfo,
        /// Control groups by controller.
        Cgroups,
        /// Connections that the kernel follows.
        Conntrack,
        /// Time of CPUs by mode.
        Cpu,
        /// Known weaknesses of the CPU.
        CpuVulnerabilities,
        /// Frequencies of CPUs.
        Cpufreq,
        /// Reads and writes of disks.
        Diskstats,
        /// Vendor and model of the machine.
        Dmi,
        /// Disks that are mirrored over the network.
        Drbd,
        /// Graphics cards.
        Drm,
        /// Errors of memory.
        Edac,
        /// Randomness that is left.
        Entropy,
        /// Network devices as their drivers tell.
        Ethtool,
        /// Fibre Channel.
        Fibrechannel,
        /// Open files.
        Filefd,
        /// Room in file systems.
        Filesystem,
        /// Temperatures, fans, voltages.
        Hwmon,
        /// `InfiniBand`.
        Infiniband,
        /// Interrupts by device.
        Interrupts,
        /// Virtual servers of the kernel.
        Ipvs,
        /// Pages of memory that are shared.
        Ksmd,
        /// Tables of the network stack.
        Lnstat,
        /// Load.
        Loadavg,
        /// Sessions of people.
        Logind,
        /// Software RAID.
        Mdadm,
        /// Memory.
        Meminfo,
        /// Memory by NUMA node.
        MeminfoNuma,
        /// Mounts of NFS, in detail.
        Mountstats,
        /// Network devices: state and speed.
        Netclass,
        /// Bytes, errors and drops of network devices.
        Netdev,
        /// Counters of IP, TCP and UDP.
        Netstat,
        /// Routes.
        NetworkRoute,
        /// Calls of the NFS client.
        Nfs,
        /// Calls of the NFS server.
        Nfsd,
        /// Drift against an NTP server.
        Ntp,
        /// NVMe disks.
        Nvme,
        /// Name and version of the system.
        Os,
        /// PCI devices.
        Pcidevice,
        /// Counters of the CPU; needs rights that its pods do not have.
        Perf,
        /// Batteries and power supplies.
        Powersupplyclass,
        /// How long work waits for CPU, memory and disks.
        Pressure,
        /// Processes and threads.
        Processes,
        /// Queues of network devices.
        Qdisc,
        /// Energy that CPUs take.
        Rapl,
        /// Services of runit.
        Runit,
        /// The scheduler's counters.
        Schedstat,
        /// `SELinux`.
        Selinux,
        /// Caches of the kernel; only root reads them.
        Slabinfo,
        /// Sockets.
        Sockstat,
        /// Soft interrupts.
        Softirqs,
        /// Packets by CPU.
        Softnet,
        /// Start of the system, context switches, forks.
        Stat,
        /// Services of Supervisor.
        Supervisord,
        /// Swap by device.
        Swap,
        /// Settings of the kernel.
        Sysctl,
        /// Units of systemd.
        Systemd,
        /// Tape drives.
        Tapestats,
        /// TCP connections by state.
        Tcpstat,
        /// Metrics from files.
        Textfile,
        /// Temperatures and cooling.
        ThermalZone,
        /// The time.
        Time,
        /// Whether the clock is in sync.
        Timex,
        /// Queues of UDP.
        UdpQueues,
        /// Version of the kernel.
        Uname,
        /// Paging, and what was killed for memory.
        Vmstat,
        /// Watchdogs.
        Watchdog,
        /// Wireless devices.
        Wifi,
        /// IPsec.
        Xfrm,
        /// File systems of XFS.
        Xfs,
        /// ZFS.
        Zfs,
        /// Zones of memory.
        Zoneinfo,
    }
}

impl NodeCollector {
    /// Whether it tells something unless it is switched off.
    pub fn is_usual(self) -> bool {
        !matches!(
            self,
            Self::Buddyinfo
                | Self::Cgroups
                | Self::CpuVulnerabilities
                | Self::Drbd
                | Self::Drm
                | Self::Ethtool
                | Self::Interrupts
                | Self::Ksmd
                | Self::Lnstat
                | Self::Logind
                | Self::MeminfoNuma
                | Self::Mountstats
                | Self::NetworkRoute
                | Self::Ntp
                | Self::Pcidevice
                | Self::Perf
                | Self::Processes
                | Self::Qdisc
                | Self::Runit
                | Self::Slabinfo
                | Self::Softirqs
                | Self::Supervisord
                | Self::Swap
                | Self::Sysctl
                | Self::Systemd
                | Self::Tcpstat
                | Self::Wifi
                | Self::Xfrm
                | Self::Zoneinfo
        )
    }

    /// Whether alerts and dashboards of nodes ask for what it tells.
    pub fn is_asked(self) -> bool {
        matches!(
            self,
            Self::Bonding
                | Self::Conntrack
                | Self::Cpu
                | Self::Diskstats
                | Self::Edac
                | Self::Filefd
                | Self::Filesystem
                | Self::Loadavg
                | Self::Mdadm
                | Self::Meminfo
                | Self::Netclass
                | Self::Netdev
                | Self::Netstat
                | Self::Pressure
                | Self::Stat
                | Self::Textfile
                | Self::Time
                | Self::Timex
                | Self::Uname
                | Self::Vmstat
        )
    }

    /// Whether only root may read what it reads, which its pods are not.
    pub fn needs_root(self) -> bool {
        matches!(self, Self::Perf | Self::Slabinfo)
    }

    /// Whether it asks over the node's D-Bus.
    pub fn asks_dbus(self) -> bool {
        matches!(self, Self::Logind | Self::Systemd)
    }
}
