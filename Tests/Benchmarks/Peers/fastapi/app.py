"""The lists and writes of the task API as one would write them with FastAPI and SQLModel.

It does less than the API that it is compared with: no change numbers, no events, no undo, no sharing, no row-level
security. DATABASE_URI names the database, whose tables schema.sql makes.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from datetime import time as clock
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import ARRAY, Column, Computed, DateTime, Text, and_, func, or_, tuple_, update
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, select

engine = create_async_engine(
    os.environ["DATABASE_URI"].replace("postgresql://", "postgresql+asyncpg://", 1),
    pool_size=int(os.environ["POOL_SIZE"]),
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class User(SQLModel, table=True):
    __tablename__ = "users"
    __table_args__ = {"schema": "peer"}
    id: UUID = Field(primary_key=True)
    email: str
    zone: str
    token_hash: bytes


class Project(SQLModel, table=True):
    __tablename__ = "projects"
    __table_args__ = {"schema": "peer"}
    id: UUID = Field(primary_key=True)
    user_id: UUID
    name: str
    is_inbox: bool


class TaskFields(SQLModel):
    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=20_000)
    priority: int = Field(default=0, ge=0, le=4)
    due_date: date | None = None
    due_time: clock | None = None
    due_zone: str | None = None
    start_date: date | None = None
    estimate_minutes: int | None = None
    tags: list[str] = Field(default=[], sa_type=ARRAY(Text))
    parent_id: UUID | None = None


class TaskCreate(TaskFields):
    project_id: UUID | None = None


class TaskRead(TaskFields):
    id: UUID
    user_id: UUID
    project_id: UUID
    status: Literal["open", "done", "cancelled"]
    position: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    deleted_at: datetime | None
    version: int


class Task(TaskFields, table=True):
    __tablename__ = "tasks"
    __table_args__ = {"schema": "peer"}
    __mapper_args__ = {"eager_defaults": False}
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID
    project_id: UUID
    status: str = "open"
    position: str
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    deleted_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    version: int = 1


# Read by conditions only, so they are no members of the model.
due_wall = Column("due_wall", DateTime, Computed("", persisted=True))
search = Column("search", TSVECTOR, Computed("", persisted=True))
Task.__table__.append_column(due_wall)
Task.__table__.append_column(search)


class TaskPage(SQLModel):
    items: list[TaskRead]
    next_cursor: str | None


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
known: dict[bytes, tuple[float, User]] = {}


async def get_user(
    session: Session, credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> User:
    """Whose token it is; believed for five seconds."""
    digest = hashlib.sha256(credentials.credentials.encode()).digest()
    entry = known.get(digest)
    if entry and entry[0] > time.monotonic():
        return entry[1]
    user = (await session.scalars(select(User).where(User.token_hash == digest))).one_or_none()
    if user is None:
        raise HTTPException(401, "the token is not valid")
    known[digest] = (time.monotonic() + 5, user)
    return user


CurrentUser = Annotated[User, Depends(get_user)]
app = FastAPI()

orders = {
    "position": [(Task.position, False)],
    "due": [(due_wall, False)],
    "due,-priority": [(due_wall, False), (Task.priority, True)],
}


def after(order: list, cursor: str):
    """The condition that a row comes after the last one of the page before."""
    try:
        *values, last = json.loads(base64.urlsafe_b64decode(cursor))
        last = UUID(last)
        values = [datetime.fromisoformat(v) if c is due_wall else v for (c, _), v in zip(order, values, strict=True)]
    except ValueError as error:
        raise HTTPException(422, "the cursor is not valid") from error
    if not any(descending for _, descending in order):
        return tuple_(*(c for c, _ in order), Task.id) > tuple_(*values, last)
    condition = Task.id > last
    for (column, descending), value in reversed(list(zip(order, values, strict=True))):
        further = column < value if descending else column > value
        condition = and_(column <= value if descending else column >= value, or_(further, condition))
    return condition


@app.get("/v1/tasks")
async def list_tasks(
    session: Session,
    user: CurrentUser,
    status: Literal["open", "done", "cancelled"] | None = None,
    project: UUID | None = None,
    tag: Annotated[list[str], Query()] = [],
    priority_from: int | None = None,
    due_from: date | None = None,
    due_to: date | None = None,
    text: str | None = None,
    sort: Literal["position", "due", "due,-priority"] = "position",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> TaskPage:
    order = orders[sort]
    conditions = [Task.user_id == user.id, Task.deleted_at.is_(None)]
    if status:
        conditions.append(Task.status == status)
    if project:
        conditions.append(Task.project_id == project)
    if tag:
        conditions.append(Task.tags.op("&&")(tag))
    if priority_from is not None:
        conditions.append(Task.priority >= priority_from)
    if due_from:
        conditions.append(due_wall >= datetime.combine(due_from, clock.min))
    if due_to:
        conditions.append(due_wall <= datetime.combine(due_to, clock.max))
    if text:
        conditions.append(search.op("@@")(func.plainto_tsquery("simple", text)))
    if cursor:
        conditions.append(after(order, cursor))
    statement = (
        select(Task, due_wall)
        .where(*conditions)
        .order_by(*(c.desc() if descending else c for c, descending in order), Task.id)
        .limit(limit + 1)
    )
    rows = (await session.execute(statement)).all()
    following = None
    if len(rows) > limit:
        task, due = rows[limit - 1]
        values = [due.isoformat() if c is due_wall else getattr(task, c.key) for c, _ in order]
        following = base64.urlsafe_b64encode(json.dumps([*values, str(task.id)]).encode()).decode()
    return TaskPage(items=[task for task, _ in rows[:limit]], next_cursor=following)


@app.get("/v1/tasks/{id}")
async def get_task(id: UUID, session: Session, user: CurrentUser, response: Response) -> TaskRead:
    task = (await session.scalars(select(Task).where(Task.id == id, Task.user_id == user.id))).one_or_none()
    if task is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{task.version}"'
    return task


@app.post("/v1/tasks", status_code=201)
async def create_task(draft: TaskCreate, session: Session, user: CurrentUser, response: Response) -> TaskRead:
    place = Project.id == draft.project_id if draft.project_id else Project.is_inbox
    project = (await session.scalars(select(Project.id).where(Project.user_id == user.id, place))).one_or_none()
    if project is None:
        raise HTTPException(422, "there is no such project")
    task = Task.model_validate(
        draft, update={"user_id": user.id, "project_id": project, "position": f"n{time.time_ns():020}"}
    )
    session.add(task)
    await session.commit()
    response.headers["ETag"] = f'"{task.version}"'
    response.headers["Location"] = f"/v1/tasks/{task.id}"
    return task


@app.post("/v1/tasks/{id}/complete")
async def complete_task(id: UUID, session: Session, user: CurrentUser, response: Response) -> TaskRead:
    now = datetime.now(UTC)
    statement = (
        update(Task)
        .where(Task.id == id, Task.user_id == user.id)
        .values(status="done", completed_at=now, updated_at=now, version=Task.version + 1)
        .returning(Task)
    )
    task = (await session.scalars(statement)).one_or_none()
    if task is None:
        raise HTTPException(404)
    await session.commit()
    response.headers["ETag"] = f'"{task.version}"'
    return task
