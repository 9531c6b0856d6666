"""A client that shares no code with the server: stubs by protoc, gRPC by python3-grpcio. Prints what it saw as JSON."""
import json
import sys

import grpc

import health_pb2
import health_pb2_grpc
import reflection_pb2
import reflection_pb2_grpc
from google.protobuf import descriptor_pb2
from lehr.v1 import (event_service_pb2, event_service_pb2_grpc, image_service_pb2, image_service_pb2_grpc,
                     task_service_pb2, task_service_pb2_grpc)

address, source_uri, digest = sys.argv[1:]
seen = {}
with grpc.insecure_channel(address) as channel:
    health = health_pb2_grpc.HealthStub(channel)
    seen['health'] = {
        name: health_pb2.HealthCheckResponse.ServingStatus.Name(health.Check(health_pb2.HealthCheckRequest(service=name)).status)
        for name in ['', 'lehr.v1.TaskService', 'lehr.v1.ImageService', 'lehr.v1.EventService']}

    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    listed, described = reflection.ServerReflectionInfo(iter([
        reflection_pb2.ServerReflectionRequest(list_services=''),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol='lehr.v1.TaskService'),
    ]))
    seen['services'] = sorted(service.name for service in listed.list_services_response.service)
    files = [descriptor_pb2.FileDescriptorProto.FromString(data) for data in described.file_descriptor_response.file_descriptor_proto]
    seen['methods'] = sorted(method.name for file in files for service in file.service for method in service.method)

    tasks = task_service_pb2_grpc.TaskServiceStub(channel)
    request = task_service_pb2.CreateTaskRequest(request_id='from python', labels={'client': 'python'})
    request.spec.import_image.source_uri = source_uri
    request.spec.import_image.expected_digest = digest
    request.spec.import_image.image.name = 'made from python'
    created = tasks.CreateTask(request)
    task_id = created.task.id
    seen['repeated'] = tasks.CreateTask(request).task.id == task_id
    watch = tasks.WatchTasks(task_service_pb2.WatchTasksRequest(filter='labels.client = "python"'))
    for message in watch:
        kind = message.WhichOneof('message')
        task = getattr(message, kind)
        if kind in ('snapshot', 'change') and task.HasField('end_time'):
            seen['state'] = type(task).State.Name(task.state)
            seen['digest'] = task.result.digest
            break
    watch.cancel()

    images = image_service_pb2_grpc.ImageServiceStub(channel)
    seen['name'] = images.GetImage(image_service_pb2.GetImageRequest(id=task_id)).image.name
    seen['bytes'] = sum(len(piece.data) for piece in images.ReadImage(image_service_pb2.ReadImageRequest(id=task_id)))
    events = event_service_pb2_grpc.EventServiceStub(channel)
    seen['events'] = [event.type for event in events.ListEvents(event_service_pb2.ListEventsRequest(subject='tasks/' + task_id)).events]

    try:
        tasks.GetTask(task_service_pb2.GetTaskRequest(id='nobody'))
    except grpc.RpcError as error:
        seen['refusal'] = [error.code().name, error.details()]
print(json.dumps(seen))
