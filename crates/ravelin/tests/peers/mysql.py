"""A server of MySQL and a client of one, by mysql-mimic and PyMySQL.

    mysql.py serve PORT               without TLS
    mysql.py ask PORT ROOT.pem|none   prints how many rows came of a thousand, and their sum
"""

import asyncio
import ssl
import sys


async def serve(port):
    from mysql_mimic import MysqlServer, Session

    class Thousand(Session):
        async def query(self, expression, sql, attrs):
            return [(n, "x" * n) for n in range(1000)], ["n", "text"]

    server = MysqlServer(session_factory=Thousand)
    await server.start_server(host="127.0.0.1", port=port)
    await server.serve_forever()


def ask(port, root):
    import pymysql

    if root == "none":
        secure = {"ssl_disabled": True}
    else:
        secure = {"ssl": ssl.create_default_context(cafile=root)}
    connection = pymysql.connect(
        host="localhost", port=port, user="ada", connect_timeout=20, read_timeout=20, **secure
    )
    with connection, connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("select n, text from thousand")
            rows = cursor.fetchall()
        print(len(rows), sum(len(text) for _, text in rows))


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    ask(int(sys.argv[2]), sys.argv[3])
