// The real systems of a compose file, each as Compose has it; `@PROJECT@` is the project's folder.
#include "compose/services.h"

namespace tailrace::compose {
namespace {

constexpr std::string_view kKafka = R"(
  # Kafka 4, its own controller (KRaft). Containers ask kafka:9092, the host 127.0.0.1:19092.
  kafka:
    image: apache/kafka:4.3.1
    profiles: [kraft]
    environment:
      KAFKA_NODE_ID: "1"
      KAFKA_PROCESS_ROLES: broker,controller
      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093
      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093,HOST://:19092
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,HOST://127.0.0.1:19092
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,HOST:PLAINTEXT
      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT
      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER
      KAFKA_LOG_DIRS: /var/lib/kafka/data
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1"
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1"
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1"
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: "1"
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: "1"
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0"
      KAFKA_HEAP_OPTS: -Xms256m -Xmx384m
      CLUSTER_ID: CvbeCfZgTYKR577XER1yTA
    ports: ["127.0.0.1:19092:19092"]
    volumes: ["kafka:/var/lib/kafka/data"]
    healthcheck:
      test: [CMD, /opt/kafka/bin/kafka-broker-api-versions.sh, --bootstrap-server, "kafka:9092"]
      interval: 10s
      timeout: 10s
      retries: 12
      start_period: 20s
    mem_limit: 640m
    restart: unless-stopped
)";

constexpr std::string_view kZooKeeper = R"(
  # The profile zookeeper: Kafka 3.9 as it ran before KRaft, instead of Kafka 4 (COMPOSE_PROFILES
  # in .env).
  zookeeper:
    image: confluentinc/cp-zookeeper:7.9.1
    profiles: [zookeeper]
    environment:
      ZOOKEEPER_CLIENT_PORT: "2181"
      ZOOKEEPER_TICK_TIME: "2000"
      KAFKA_HEAP_OPTS: -Xmx64m
    volumes: ["zookeeper:/var/lib/zookeeper"]
    healthcheck:
      test: [CMD, cub, zk-ready, "zookeeper:2181", "5"]
      interval: 10s
      timeout: 10s
      retries: 12
      start_period: 10s
    mem_limit: 160m
    restart: unless-stopped

  kafka-zookeeper:
    image: confluentinc/cp-kafka:7.9.1
    profiles: [zookeeper]
    networks:
      default:
        aliases: [kafka]
    environment:
      KAFKA_BROKER_ID: "1"
      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
      KAFKA_LISTENERS: PLAINTEXT://:9092,HOST://:19092
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,HOST://127.0.0.1:19092
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT
      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1"
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1"
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1"
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0"
      KAFKA_HEAP_OPTS: -Xms256m -Xmx384m
    ports: ["127.0.0.1:19092:19092"]
    volumes: ["kafka-zookeeper:/var/lib/kafka/data"]
    depends_on:
      zookeeper: {condition: service_healthy}
    healthcheck:
      test: [CMD, kafka-broker-api-versions, --bootstrap-server, "kafka:9092"]
      interval: 10s
      timeout: 10s
      retries: 12
      start_period: 20s
    mem_limit: 640m
    restart: unless-stopped
)";

constexpr std::string_view kRegistry = R"(
  # A schema registry with Confluent's API below /apis/ccompat/v7, kept in Kafka.
  registry:
    image: apicurio/apicurio-registry:3.3.3
    environment:
      APICURIO_STORAGE_KIND: kafkasql
      APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: kafka:9092
      APICURIO_RULES_GLOBAL_COMPATIBILITY: BACKWARD
      JAVA_OPTS_APPEND: -Xmx192m
      QUARKUS_HTTP_PORT: "8081"
    ports: ["127.0.0.1:8081:8081"]
    depends_on:
      kafka: {condition: service_healthy, required: false}
      kafka-zookeeper: {condition: service_healthy, required: false}
    healthcheck:
      test: [CMD, curl, -fsS, "http://registry:8081/apis/ccompat/v7/subjects"]
      interval: 10s
      timeout: 5s
      retries: 12
      start_period: 20s
    mem_limit: 320m
    restart: unless-stopped
)";

constexpr std::string_view kPostgres = R"(
  # Airflow's metadata, and a database for staging; wal_level lets changes be read as a stream.
  postgres:
    image: postgres:15.19
    command: [postgres, -c, wal_level=logical, -c, max_replication_slots=8, -c, max_wal_senders=8]
    environment:
      POSTGRES_USER: airflow
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}
      POSTGRES_DB: airflow
    volumes: ["postgres:/var/lib/postgresql/data"]
    healthcheck:
      test: [CMD, pg_isready, -h, postgres, -U, airflow, -d, airflow]
      interval: 5s
      timeout: 5s
      retries: 12
    mem_limit: 256m
    restart: unless-stopped
)";

constexpr std::string_view kAirflow = R"(
  # The project's DAGs on Airflow: API server, scheduler, DAG processor and triggerer in one
  # container. The first start installs what its image lacks. The login is admin with
  # AIRFLOW_PASSWORD, which Airflow's own users' file is given; Tailrace tells it of asset events.
  airflow:
    image: apache/airflow:3.3.2
    command:
      - bash
      - -c
      - >-
        python -c 'import json, os, sys;
        json.dump({"admin": os.environ["AIRFLOW_PASSWORD"]}, sys.stdout)'
        >/opt/airflow/simple_auth_manager_passwords.json.generated &&
        exec airflow standalone
    environment:
      AIRFLOW_PASSWORD: ${AIRFLOW_PASSWORD:?set it in .env}
      AIRFLOW__CORE__EXECUTOR: LocalExecutor
      AIRFLOW__CORE__LOAD_EXAMPLES: "False"
      AIRFLOW__CORE__PARALLELISM: "4"
      AIRFLOW__CORE__EXECUTION_API_SERVER_URL: http://airflow:8080/execution/
      # A task's worker waits so many seconds for an answer: on a small machine 5 are too few.
      AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT: "60"
      AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS: admin:admin
      AIRFLOW__API__HOST: 0.0.0.0
      AIRFLOW__API__PORT: "8080"
      AIRFLOW__API__WORKERS: "1"
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: >-
        postgresql+psycopg2://airflow:${POSTGRES_PASSWORD}@postgres:5432/airflow
      AIRFLOW__LOGGING__REMOTE_LOGGING: "True"
      AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER: s3://airflow-logs
      AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID: minio
      AIRFLOW_CONN_MINIO: >-
        {"conn_type": "aws", "login": "tailrace", "password": "${MINIO_PASSWORD}",
        "extra": {"endpoint_url": "http://minio:9000", "region_name": "us-east-1"}}
      AIRFLOW_CONN_KAFKA_DEFAULT: >-
        {"conn_type": "kafka", "extra": {"bootstrap.servers": "kafka:9092"}}
      AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY: "False"
      AIRFLOW_CONN_TAILRACE_DEFAULT: tailrace://tailrace:9021
      _PIP_ADDITIONAL_REQUIREMENTS: @PACKAGES@
    ports: ["127.0.0.1:8080:8080"]
    volumes:
      - ./airflow:/opt/airflow/dags:ro
      - @PROJECT@:/opt/airflow/project:ro
    depends_on:
      postgres: {condition: service_healthy}
      minio: {condition: service_healthy}
      kafka: {condition: service_healthy, required: false}
      kafka-zookeeper: {condition: service_healthy, required: false}
    healthcheck:
      test: [CMD, curl, -fsS, "http://airflow:8080/api/v2/monitor/health"]
      interval: 15s
      timeout: 10s
      retries: 12
      start_period: 120s
    mem_limit: 1408m
    restart: unless-stopped
)";

constexpr std::string_view kSpark = R"(
  # Spark, which keeps the Delta tables: Tailrace hands it the work, and a worker sees the tables
  # where Tailrace does. A machine with more memory takes more workers:
  # docker compose up --scale spark-worker=2
  spark-master:
    image: @SPARK_IMAGE@
    entrypoint: [/opt/spark/bin/spark-class]
    command: [org.apache.spark.deploy.master.Master,
      --host, spark-master, --port, "7077", --webui-port, "8090"]
    environment: {SPARK_DAEMON_MEMORY: 128m, SPARK_DAEMON_JAVA_OPTS: -XX:+UseSerialGC}
    ports: ["127.0.0.1:8090:8090"]
    healthcheck:
      test: [CMD, bash, -c, "exec 3<>/dev/tcp/spark-master/7077"]
      interval: 5s
      timeout: 5s
      retries: 12
      start_period: 5s
    mem_limit: 224m
    restart: unless-stopped

  spark-worker:
    image: @SPARK_IMAGE@
    entrypoint: [/opt/spark/bin/spark-class]
    command: [org.apache.spark.deploy.worker.Worker, --cores, "1", --memory, 470m,
      --work-dir, /tmp/work, --webui-port, "8091", "spark://spark-master:7077"]
    environment:
      SPARK_DAEMON_MEMORY: 96m
      SPARK_DAEMON_JAVA_OPTS: -XX:+UseSerialGC -XX:TieredStopAtLevel=1
      # Each update is an application with a folder of its own.
      SPARK_WORKER_OPTS: >-
        -Dspark.worker.cleanup.enabled=true -Dspark.worker.cleanup.interval=600
        -Dspark.worker.cleanup.appDataTtl=3600
    volumes: ["tailrace:/data"]
    depends_on:
      spark-master: {condition: service_healthy}
    healthcheck:
      test: [CMD, bash, -c, "exec 3<>/dev/tcp/127.0.0.1/8091"]
      interval: 5s
      timeout: 5s
      retries: 12
      start_period: 5s
    mem_limit: 768m
    restart: unless-stopped
)";

constexpr std::string_view kCassandra = R"(
  cassandra:
    image: cassandra:5.0.9
    environment:
      CASSANDRA_CLUSTER_NAME: tailrace
      CASSANDRA_NUM_TOKENS: "1"
      CASSANDRA_ENDPOINT_SNITCH: SimpleSnitch
      MAX_HEAP_SIZE: 512M
      HEAP_NEWSIZE: 100M
    ports: ["127.0.0.1:9042:9042"]
    volumes: ["cassandra:/var/lib/cassandra"]
    healthcheck:
      test: [CMD, cqlsh, cassandra, "9042", -e, "SELECT release_version FROM system.local"]
      interval: 10s
      timeout: 10s
      retries: 18
      start_period: 40s
    mem_limit: 1088m
    restart: unless-stopped
)";

constexpr std::string_view kMinio = R"(
  # Airflow's task logs. MinIO's images are at quay.io alone since September 2026.
  minio:
    image: quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z.hotfix.7aa24e772
    entrypoint: [sh, -c]
    command:
      - >-
        mkdir -p /data/airflow-logs &&
        exec minio server /data --address :9000 --console-address :9001
    environment:
      MINIO_ROOT_USER: tailrace
      MINIO_ROOT_PASSWORD: ${MINIO_PASSWORD:?set it in .env}
    ports: ["127.0.0.1:9001:9001"]
    volumes: ["minio:/data"]
    healthcheck:
      test: [CMD, curl, -fsS, "http://minio:9000/minio/health/live"]
      interval: 5s
      timeout: 5s
      retries: 12
    mem_limit: 192m
    restart: unless-stopped
)";

}  // namespace

const std::vector<Service>& real_services() {
  static const std::vector<Service> kServices = {
      {"kafka", kKafka, {"kafka"}},
      {"zookeeper", kZooKeeper, {"zookeeper", "kafka-zookeeper"}},
      {"registry", kRegistry},
      {"postgres", kPostgres, {"postgres"}},
      {"minio", kMinio, {"minio"}},
      {"airflow", kAirflow},
      {"spark", kSpark},
      {"cassandra", kCassandra, {"cassandra"}},
  };
  return kServices;
}

}  // namespace tailrace::compose
