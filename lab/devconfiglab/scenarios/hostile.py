# SPDX-License-Identifier: Apache-2.0
"""A hostile importer: a hundred mutated sessions with a real device, each ended badly. The device comes back each time."""

import re

from ..devices import Disk
from . import agent
from .common import AGENT

MACHINES = ("alpha", "beta")
NEEDS_STAGE = True

ROUNDS = 60
# What is promised is 5 s; an emulated machine that shares its processor gets more.
LIMIT = 20


def play(office, report) -> None:
    alpha, beta = office.alpha, office.beta
    stick = Disk("stick")
    alpha.plug(stick)
    here = {"host": "alpha", "busid": alpha.bus_id(stick)}
    agent.install(office, report)
    agent.start_agent(report, alpha, beta)
    identity = agent.wait_for_device(beta, **here, remote_state="AVAIL")["id"]
    beta.write("/run/hostile.pl", HOSTILE)
    before = descriptors(alpha)

    with report.step(f"{ROUNDS} mutated sessions, each ended by a reset, a close, or half a close") as notes:
        said = beta.run(f"perl /run/hostile.pl 10.9.0.1 {here['busid']} {ROUNDS} {LIMIT}", timeout=1200)
        worst = re.search(r"worst ([0-9.]+)", said)
        assert worst, said
        notes.append(f"the device was back after {worst.group(1)} s at most")
        notes.append(said.splitlines()[0])
    with report.step("no session, no descriptor and no trace of them is left; the agent never restarted"):
        agent.wait_for_device(alpha, LIMIT, **here, remote_state="AVAIL", remote_user="NOBODY")
        alpha.wait_until("! pgrep devconfig-sess", limit=LIMIT)
        assert descriptors(alpha) <= before + 5, f"{before} descriptors before, {descriptors(alpha)} after"
        assert alpha.run(f"systemctl show --value --property=NRestarts {AGENT}").strip() == "0"
        assert "Fatal error" not in alpha.journal(f"-u {AGENT}")
        assert not alpha.kernel_trouble(), alpha.kernel_trouble()
    with report.step("the device works as before, for somebody who asks nicely"):
        node = agent.disk_node_in(agent.up(beta, identity))
        beta.run(f"dd if={node} of=/dev/null bs=64K count=16 iflag=direct", timeout=120)
        agent.down(beta, identity)


def descriptors(machine) -> int:
    return int(machine.run("ls /proc/$(pidof devconfigd)/fd | wc -l"))


# The image has no Python; Perl is part of every Debian.
HOSTILE = r"""use strict;
use Socket;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);
$SIG{PIPE} = "IGNORE";
my ($host, $busid, $rounds, $limit) = @ARGV;

sub take {
    my ($socket, $count) = @_;
    my $bytes = "";
    while (length $bytes < $count) {
        sysread($socket, $bytes, $count - length $bytes, length $bytes) or return undef;
    }
    return $bytes;
}

# Asks until the exporter has its device back from the session before.
sub import_device {
    my $since = time;
    while (1) {
        my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => 3240, Timeout => 20) or die "connect: $!";
        syswrite($socket, pack("nnN a32", 0x0111, 0x8003, 0, $busid));
        my $head = take($socket, 8) // die "no reply\n";
        my $status = (unpack "nnN", $head)[2];
        if ($status == 0) {
            my $device = take($socket, 312) // die "half a reply\n";
            my ($bus, $number) = unpack "x288 NN", $device;
            return ($socket, $bus << 16 | $number, time - $since);
        }
        # Busy until it is given back; then its own machine looks at it for a moment.
        die "status $status\n" unless $status == 1 or $status == 2;
        die "not given back\n" if time - $since > $limit;
        sleep 0.05;
    }
}

my $seqnum = 0;
sub submit {
    my ($devid, $endpoint, $in, $length, $setup, $data) = @_;
    $seqnum++;
    return pack("N5 N l>4 a8", 1, $seqnum, $devid, $in, $endpoint, 0, $length, 0, 0, 0, $setup // "") . ($data // "");
}
sub command { return pack("a4 N N C C C a16", "USBC", 7, $_[1] << 24, $_[2], 0, 6, $_[0]) }

# What a driver says to a disk.
sub session {
    my ($devid) = @_;
    my @messages = (
        submit($devid, 0, 1, 18, pack("CCvvv", 0x80, 6, 0x100, 0, 18)),
        submit($devid, 0, 0, 0, pack("CCvvv", 0, 9, 1, 0, 0)),
        submit($devid, 2, 0, 31, "", command(pack("C6", 0x12, 0, 0, 0, 36, 0), 36, 0x80)),
        submit($devid, 1, 1, 36), submit($devid, 1, 1, 13), submit($devid, 1, 1, 512),
        submit($devid, 0, 0, 0, pack("CCvvv", 2, 1, 0, 0x81, 0)), submit($devid, 1, 1, 64));
    push @messages, pack("N5 N x24", 2, ++$seqnum, $devid, 0, 0, $seqnum - 1);
    push @messages, submit($devid, 0, 1, 9, pack("CCvvv", 0x80, 6, 0x200, 0, 9));
    return @messages;
}

my @values = (0, 1, 2, 3, 9, 15, 16, 0x7F, 0x81, 0xFFFF, 65536, 16 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF);
sub mutated {
    my @messages = @_;
    for (1 .. 1 + int rand 3) {
        my $at = int rand @messages;
        my $kind = int rand 6;
        if ($kind == 0) { splice @messages, $at, 0, $messages[rand @messages] }
        elsif ($kind == 1 and @messages > 1) { splice @messages, $at, 1 }
        elsif ($kind == 2) { substr($messages[$at], int rand length $messages[$at], 1) = chr int rand 256 }
        elsif ($kind == 3) { $messages[$at] .= join "", map { chr int rand 256 } 0 .. rand 80 }
        else { substr($messages[$at], 4 * int rand 12, 4) = pack "N", $values[rand @values] }
    }
    my $bytes = join "", @messages;
    return rand() < 0.3 ? substr($bytes, 0, rand length $bytes) : $bytes;
}

my ($worst, %ends) = (0);
for my $round (1 .. $rounds) {
    srand $round;
    my ($socket, $devid, $waited) = import_device();
    $worst = $waited if $waited > $worst;
    syswrite($socket, mutated(session($devid)));
    my $ending = (qw(reset close half))[$round % 3];
    setsockopt($socket, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0) if $ending eq "reset";
    if ($ending eq "half") {
        shutdown($socket, 1);
        1 while sysread($socket, my $dropped, 65536);
    }
    $ends{$ending}++;
    close $socket;
}
printf "%s\nworst %.1f\n", join(", ", map { "$ends{$_} by $_" } sort keys %ends), $worst;
"""
