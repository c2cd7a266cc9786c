# SPDX-License-Identifier: Apache-2.0
# A member below a supervisor of Elixir, by either of its child_spec/1.
{:ok, supervisor} = Supervisor.start_link([:example_cluster_srv], strategy: :one_for_one)
IO.puts("answer: #{:gen_cluster.call(:example_cluster_srv, {:ohai})}")
:ok = Supervisor.stop(supervisor)

spec = {:gen_cluster, %{module: :example_cluster_srv, name: {:local, :again}}}
{:ok, supervisor} = Supervisor.start_link([spec], strategy: :one_for_one)
IO.puts("again: #{:gen_cluster.call(:again, {:ohai})}")
:ok = Supervisor.stop(supervisor)
