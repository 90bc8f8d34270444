#include <spdlog/fmt/fmt.h>

#include "proxy/host/client_config_kinds.h"
#include "storage/digest.h"

namespace paddock::client {
namespace {

constexpr std::string_view folder = "/etc/containerd/certs.d";
constexpr std::string_view manifest = "paddock-containerd-hosts.yaml";

// Of a ConfigMap: neither '/' nor ':'.
std::string key_of(std::size_t index) { return fmt::format("file-{}", index); }

// Lines of a block scalar; those of our files never begin with a space in the first line.
std::string indented(std::string_view text, std::size_t by) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (!line.empty()) out.append(by, ' ').append(line);
    out += '\n';
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return out;
}

// Each file is written beside its place and moved, as containerd may read it meanwhile.
constexpr std::string_view install = R"sh(set -e
cd /from
find . -follow -type f ! -path './..*' | while read -r file; do
  mkdir -p "/to/$(dirname "$file")"
  cp -L "$file" "/to/$file.paddock"
  chmod 0644 "/to/$file.paddock"
  mv "/to/$file.paddock" "/to/$file"
done
)sh";

constexpr std::string_view config_map = R"(apiVersion: v1
kind: ConfigMap
metadata:
  name: paddock-hosts
  namespace: kube-system
data:
)";

// {0}: digest of the files, {1}: script, {2}: items of the volume, {3}: folder on the node.
constexpr std::string_view daemon_set = R"(---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: paddock-hosts
  namespace: kube-system
  labels: {{app.kubernetes.io/name: paddock-hosts}}
spec:
  selector:
    matchLabels: {{app.kubernetes.io/name: paddock-hosts}}
  updateStrategy:
    rollingUpdate: {{maxUnavailable: "100%"}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: paddock-hosts}}
      annotations: {{paddock/files: "{0}"}}
    spec:
      nodeSelector: {{kubernetes.io/os: linux}}
      tolerations:
        - operator: Exists
      priorityClassName: system-node-critical
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      initContainers:
        - name: install
          image: busybox:1.36
          command:
            - sh
            - -c
            - |
{1}          resources: &resources
            requests: {{cpu: 1m, memory: 4Mi}}
            limits: {{cpu: 100m, memory: 32Mi}}
          securityContext: &security
            runAsUser: 0
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: files, mountPath: /from, readOnly: true}}
            - {{name: node, mountPath: /to}}
      containers:
        - name: installed
          image: busybox:1.36
          command: [sleep, "2147483647"]
          resources: *resources
          securityContext: *security
      volumes:
        - name: files
          configMap:
            name: paddock-hosts
            items:
{2}        - name: node
          hostPath: {{path: {3}, type: DirectoryOrCreate}}
)";

}  // namespace

Result<ClientConfig> kubernetes(const ClientConfigRequest& request) {
  auto content = headline(request) + std::string(config_map);
  std::string items, all;
  const auto files = hosts_files(request, std::string(folder));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto path = files[i].path.substr(folder.size() + 1);
    content += fmt::format("  {}: |\n{}", key_of(i), indented(files[i].content, 4));
    items += fmt::format("              - {{key: {}, path: {}}}\n", key_of(i), literal(path));
    all += path + '\0' + files[i].content + '\0';
  }
  // Another digest is another template, so that pods are replaced and write what has changed.
  content += fmt::format(daemon_set, Digest::of(all).hex().substr(0, 16), indented(install, 14), items, folder);
  ClientConfig config;
  config.files.push_back({.path = std::string(manifest), .content = content});
  config.steps = {
      {fmt::format("kubectl apply -f {}", manifest), "writes the files to every node, and to new ones as they come"},
      {"kubectl -n kube-system rollout status daemonset/paddock-hosts", "waits until all have them"}};
  config.notes = {
      "containerd reads them at the next pull, if its config.toml has config_path = \"/etc/containerd/certs.d\": "
      "`paddock client-config containerd` prints where; without it, set it on every node and restart containerd",
      "k3s and RKE2 write certs.d themselves: there, put the mirrors into registries.yaml. Nodes with CRI-O take "
      "`paddock client-config crio`",
      "kubectl delete -f leaves the files on the nodes: remove the folders below /etc/containerd/certs.d by hand",
      "where nodes cannot pull busybox:1.36 yet, put an image that they can into its place: sh, find, cp, mv are "
      "wanted"};
  config.notes.emplace_back(
      request.fallback
          ? "nodes ask the registries themselves while the cache is away"
          : "while the cache is away pulls fail: of what the cache itself needs too, if it runs in this cluster");
  if (request.cache.loopback) {
    config.notes.push_back(request.cache.host + " means each node itself: there has to be a cache on every one");
  }
  return config;
}

}  // namespace paddock::client
