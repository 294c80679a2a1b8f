// The profiles that are known by name: what each program does, in the words of profile.h.
#include <algorithm>
#include <array>

#include "chash/profile.h"

namespace chash {
namespace {

constexpr std::string_view dead_peers = "a server that does not answer: what is tried next depends on health and time";

constexpr std::array table{
    NamedProfile{"seed", "the Python service that chash grew from", "real run",
                 "algorithm=ring,hash=md5/be128,point={id}:{i},count=weight,vnodes=100,lookup=strict,order=bytes", ""},
    NamedProfile{"chash", "chash itself, for new rings", "its own definition",
                 "algorithm=ring,hash=xxh3/64,point={id}:{i},count=weight,vnodes=400,lookup=strict,order=bytes", ""},
    NamedProfile{"balanced", "chash itself, for rings that match no older placement and want balance",
                 "its own definition", "algorithm=balanced,hash=xxh3/64,slots=65536,zero_weight=none",
                 "which node has which slot: that is the ring's own state, which its changes made"},
    NamedProfile{"ring", "none: a ring to describe one's own with parameters", "its own definition",
                 "algorithm=ring,hash=md5/be128", ""},

    NamedProfile{"redis-cluster", "Redis Cluster, Valkey", "real run: redis-server 7.0.15",
                 "algorithm=slots,hash=crc16,hash_tag={},slots=16384,weights=ignored",
                 "redirections while slots move (ASK), and replicas that answer reads"},

    NamedProfile{"nginx-hash-consistent", "nginx: hash KEY consistent", "real run: nginx 1.22.1",
                 "algorithm=ring,hash=crc32,identity={nginx},points=crc32_chain,count=weight,vnodes=160,weights=whole,"
                 "tie=first,down=next_point,empty_key=none",
                 "failed servers, and names with several addresses"},
    NamedProfile{"nginx-hash", "nginx: hash KEY", "real run: nginx 1.22.1",
                 "algorithm=modulo,hash=crc32/hi15,weights=whole,down=rehash,empty_key=none",
                 "failed servers, and names with several addresses"},
    NamedProfile{"nginx-ip-hash", "nginx: ip_hash; the key is the client's address", "real run: nginx 1.22.1",
                 "algorithm=modulo,key_form=network,hash=poly113/6271,weights=whole,down=repeat,empty_key=none",
                 "failed servers"},

    NamedProfile{
        "haproxy-consistent", "HAProxy: hash-type consistent", "real run: haproxy 2.6.12",
        "algorithm=ring,hash=sdbm,avalanche=on,dialect=haproxy,points=haproxy,count=weight,vnodes=16,lookup=nearest,"
        "weights=whole,zero_weight=none,empty_key=none",
        "hash-balance-factor, which depends on load; slow start; a missing or empty header"},
    NamedProfile{"haproxy-map", "HAProxy: hash-type map-based, the default", "real run: haproxy 2.6.12",
                 "algorithm=smooth_table,hash=sdbm,dialect=haproxy,weights=whole,zero_weight=none,empty_key=none",
                 "slow start; a missing or empty header"},
    NamedProfile{"haproxy-hashkey", "HAProxy 3: hash-type consistent with server hash-key", "real run: haproxy 3.4.0",
                 "haproxy-consistent,hash_key=id", "as haproxy-consistent"},
    NamedProfile{"haproxy-none", "HAProxy 3: hash-type consistent none; the key is a number", "real run: haproxy 3.4.0",
                 "haproxy-consistent,hash=none", "as haproxy-consistent"},

    NamedProfile{"libmemcached-ketama-weighted", "libmemcached KETAMA_WEIGHTED, PHP Memcached, pylibmc",
                 "real run: libmemcached 1.1.4",
                 "algorithm=ring,dialect=memcached,hash=md5/le32,identity={host}[:{port}!11211],point={id}-{i},words=4,"
                 "point_hash=md5/le32,count=share,vnodes=40,weights=whole,zero_weight=one",
                 "AUTO_EJECT_HOSTS: give the live servers only"},
    NamedProfile{"libmemcached-ketama", "libmemcached KETAMA", "real run: libmemcached 1.1.4",
                 "algorithm=ring,dialect=memcached,hash=one_at_a_time/"
                 "schar,identity={host}[:{port}!11211],point={id}-{i},count=fixed,"
                 "vnodes=100,weights=whole,zero_weight=one,heavier=libmemcached-ketama-weighted",
                 "AUTO_EJECT_HOSTS: give the live servers only"},
    NamedProfile{"libmemcached-ketama-spy", "libmemcached with the spymemcached ring", "real run: libmemcached 1.1.4",
                 "libmemcached-ketama-weighted,identity=/{host}:{port!11211}", "spymemcached's own names in Java"},
    NamedProfile{"libmemcached-modula", "libmemcached MODULA, its default", "real run: libmemcached 1.1.4",
                 "algorithm=modulo,dialect=memcached,hash=one_at_a_time/schar,weights=ignored",
                 "AUTO_EJECT_HOSTS: give the live servers only"},
    NamedProfile{"libketama", "libketama by last.fm", "real run: RJ/ketama compiled",
                 "libmemcached-ketama-weighted,identity={name},arithmetic=libketama,zero_weight=refused", ""},
    NamedProfile{"twemproxy-ketama", "twemproxy: distribution ketama", "real run: nutcracker 0.5.0",
                 "libmemcached-ketama-weighted,hash=fnv1a_64/lmc,order=length,empty_key=zero,zero_weight=refused,"
                 "identity={alias}|{socket}:|{host}[:{port}!11211]",
                 "auto_eject_hosts: give the live servers only"},
    NamedProfile{"twemproxy-modula", "twemproxy: distribution modula", "real run: nutcracker 0.5.0",
                 "algorithm=modulo,dialect=memcached,hash=fnv1a_64/lmc,order=length,empty_key=zero,weights=whole,"
                 "identity={alias}|{socket}:|{host}[:{port}!11211]",
                 "auto_eject_hosts: give the live servers only"},
    NamedProfile{"node-hashring", "npm hashring", "real run: hashring 3.2.0", "libketama,arithmetic=f64", ""},
    NamedProfile{"dalli", "Ruby dalli", "real run: dalli 3.0.6",
                 "algorithm=ring,hash=crc32,identity={socket}|{host}:{port!11211},point={id}:{i},point_hash=sha1/"
                 "be32,count=share,"
                 "vnodes=160,arithmetic=whole,lookup=predecessor,weights=whole",
                 dead_peers},
    NamedProfile{"pymemcache", "pymemcache HashClient, keys of type str", "real run: pymemcache 3.5.2",
                 "algorithm=rendezvous,score=text,weights=ignored", dead_peers},
    NamedProfile{
        "uhashring", "Python uhashring", "real run: uhashring 2.1",
        "algorithm=ring,hash=md5/be128,point={id}-{i},count=weight,vnodes=160,lookup=strict,tie=last,weights=whole",
        "weights that were lowered by add_node: it leaves stale points"},
    NamedProfile{"uhashring-ketama", "Python uhashring, ketama", "real run: uhashring 2.1",
                 "libketama,arithmetic=whole,lookup=strict,tie=last", ""},

    NamedProfile{"envoy-ring-hash", "Envoy and Istio: RING_HASH", "published tests of Envoy",
                 "algorithm=ring,dialect=envoy,hash=xxh64,point={id}_{i},count=fill,min_points=1024,max_points=8388608",
                 "bounded load, panic mode, priorities, and locality weights (multiply them in)"},
    NamedProfile{"envoy-maglev", "Envoy and Istio: MAGLEV", "published tests of Envoy",
                 "algorithm=maglev,hash=xxh64,table=65537,order=bytes",
                 "bounded load, panic mode, priorities, and locality weights (multiply them in)"},
    NamedProfile{"grpc-ring-hash", "gRPC: ring_hash", "real run: grpc-js-xds 1.14.1",
                 "envoy-ring-hash,max_points=4096,cap_points=4096", "endpoints in transient failure"},

    NamedProfile{"mcrouter-ch3", "mcrouter: Ch3", "real run of its library",
                 "algorithm=furc,hash=murmur2_64a/4193360111,stop=|#|,weights=ignored", dead_peers},
    NamedProfile{"mcrouter-crc32", "mcrouter: Crc32", "real run of its library",
                 "algorithm=modulo,hash=crc32/31,stop=|#|,weights=ignored", dead_peers},
    NamedProfile{"mcrouter-weightedch3", "mcrouter: WeightedCh3", "real run of its library",
                 "mcrouter-ch3,weights=fraction,zero_weight=none", dead_peers},
    NamedProfile{"mcrouter-rendezvous", "mcrouter: Rendezvous", "real run of its library",
                 "algorithm=rendezvous,score=mcrouter,stop=|#|,weights=ignored", dead_peers},
    NamedProfile{"mcrouter-weightedrendezvous", "mcrouter: WeightedRendezvous", "real run of its library",
                 "algorithm=rendezvous,score=mcrouter_weighted,stop=|#|,weights=fraction,zero_weight=none", dead_peers},

    NamedProfile{"cassandra", "Apache Cassandra and Scylla, Murmur3Partitioner", "real run of the Python driver",
                 "algorithm=ring,hash=murmur3_token,points=tokens,weights=ignored",
                 "the empty key, which the server and drivers take differently; data centres and racks"},
    NamedProfile{"go-redis-ring", "go-redis Ring; the names are the keys of its map", "real run: go-redis",
                 "algorithm=rendezvous,hash=xxh64,hash_tag={},score=xorshift,weights=ignored", dead_peers},
    NamedProfile{"go-rendezvous-xxhash", "dgryski/go-rendezvous with xxhash", "real run",
                 "algorithm=rendezvous,hash=xxh64,score=xorshift,weights=ignored", ""},
    NamedProfile{"ex-hash-ring", "discord/ex_hash_ring", "real run",
                 "algorithm=ring,hash=md5/le64hi,point={id}{i},count=replicas,vnodes=512,lookup=strict,tie=last,"
                 "weights=ignored",
                 "names whose points have equal text: Erlang's sort decides"},
    NamedProfile{"go-groupcache", "golang/groupcache", "real run",
                 "algorithm=ring,hash=crc32,point={i}{id},count=fixed,vnodes=50,tie=last,weights=ignored", dead_peers},
    NamedProfile{"go-stathat-consistent", "stathat/consistent", "real run",
                 "algorithm=ring,hash=crc32,point={i}{id},count=fixed,vnodes=20,lookup=strict,tie=last,weights=ignored",
                 ""},
    NamedProfile{"go-serialx-hashring", "serialx/hashring", "real run",
                 "algorithm=ring,hash=md5/2sle64,point={id}-{i},count=weight,vnodes=1,lookup=strict,tie=last,"
                 "weights=whole",
                 ""},
    NamedProfile{"go-buraksezer-v1", "buraksezer/consistent 1.0", "real run",
                 "algorithm=partitions,hash=xxh64,point={i}:{id},count=fixed,vnodes=20,partitions=271,load=1.25,"
                 "weights=ignored",
                 ""},
    NamedProfile{"go-buraksezer-v0", "buraksezer/consistent 0.x, olric", "real run",
                 "go-buraksezer-v1,point={id}{i},whole_average=on", ""},
    NamedProfile{"go-maglev", "dgryski/go-maglev, keys hashed with xxhash", "real run",
                 "algorithm=maglev,hash=xxh64,table=65537,permutation=siphash24,weights=ignored", ""},
    NamedProfile{"go-mpchash", "dgryski/go-mpchash", "real run",
                 "algorithm=probes,hash=siphash24/k0=1,probes=21,weights=ignored", ""},
    NamedProfile{"jump", "jump consistent hash: Guava, go-jump; nodes are buckets in order", "real run",
                 "algorithm=jump,hash=xxh64,weights=ignored",
                 "how the caller makes a number of a key: hash=number takes it as given"},
};

}  // namespace

std::span<const NamedProfile> named_profiles() { return table; }

const NamedProfile* find_named_profile(std::string_view name) {
  const auto row = std::ranges::find(table, name, &NamedProfile::name);
  return row == table.end() ? nullptr : &*row;
}

}  // namespace chash
